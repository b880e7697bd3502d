class SetNotNull < ActiveRecord::Migration[7.2]
  def up
    change_column_null :wishlist_items, :updated_at, false
    remove_check_constraint :wishlist_items, name: "updated_at_is_set"
  end
end
