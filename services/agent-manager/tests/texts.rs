//! Both databases make the same of every text and of the two folders of migrations.

use swarm_agent_manager::store::{SCHEMA, sql};
use swarm_test_support::database::assert_alike;

#[tokio::test]
async fn both_databases_agree() {
    assert_alike(&SCHEMA, &sql::ALL.concat()).await;
}
