class Comment2 < ActiveRecord::Migration[7.2]
  def up
    execute "COMMENT ON TABLE wishlist_items IS '2'"
  end
end
