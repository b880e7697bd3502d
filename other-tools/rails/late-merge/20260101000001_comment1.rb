class Comment1 < ActiveRecord::Migration[7.2]
  def up
    execute "COMMENT ON TABLE wishlist_items IS '1'"
  end
end
