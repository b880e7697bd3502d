class AddKickstarter < ActiveRecord::Migration[7.2]
  def up
    add_enum_value :store, "kickstarter"
  end
end
