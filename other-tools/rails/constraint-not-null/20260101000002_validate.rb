class Validate < ActiveRecord::Migration[7.2]
  def up
    validate_check_constraint :wishlist_items, name: "updated_at_is_set"
  end
end
