class UseKickstarter < ActiveRecord::Migration[7.2]
  def up
    execute "UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'"
  end
end
