//! Both databases make the same of tables and texts.

use swarm_memory::{SCHEMA, TEXTS};
use swarm_test_support::database::assert_alike;

#[tokio::test]
async fn tables_and_texts_are_alike() {
    assert_alike(&SCHEMA, TEXTS).await;
}
