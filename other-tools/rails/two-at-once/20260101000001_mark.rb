class Mark < ActiveRecord::Migration[7.2]
  def up
    execute "SET LOCAL lock_timeout = 0"
    execute "UPDATE wishlist_items SET title = title || '!'"
  end
end
