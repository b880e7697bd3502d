class AddCheck < ActiveRecord::Migration[7.2]
  def change
    add_check_constraint :wishlist_items, "updated_at IS NOT NULL", name: "updated_at_is_set", validate: false
  end
end
