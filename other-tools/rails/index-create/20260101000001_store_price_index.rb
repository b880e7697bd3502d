class StorePriceIndex < ActiveRecord::Migration[7.2]
  disable_ddl_transaction!

  def up
    # A concurrent build waits for old transactions; a timeout would leave it INVALID.
    execute "SET lock_timeout = 0"
    add_index :wishlist_items, [:store, :price], name: "wishlist_items_store_price_idx", algorithm: :concurrently
    execute "RESET lock_timeout"
  end
end
