use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn lane(number: u128, pool: &str) -> Lane {
    Lane {
        tenant: tenant(number),
        pool: pool.to_owned(),
    }
}

/// Queues, and the rule that empties them.
struct Model {
    fair: Fair,
    queues: BTreeMap<Lane, usize>,
    served: BTreeMap<Lane, usize>,
}

impl Model {
    fn new(weights: Weights) -> Self {
        Self {
            fair: Fair::new(weights),
            queues: BTreeMap::new(),
            served: BTreeMap::new(),
        }
    }

    fn queue(&mut self, lane: Lane, tasks: usize) {
        if tasks > 0 {
            self.fair.has_work(&lane);
        }
        *self.queues.entry(lane).or_default() += tasks;
    }

    /// One claim, as the engine makes it. Says how many tasks that were.
    fn claim(&mut self, places: usize) -> usize {
        let mut claimed = 0;
        for turn in self.fair.turns(places) {
            let queue = self.queues.get_mut(&turn.lane).expect("it has work");
            let found = turn.tasks.min(*queue);
            *queue -= found;
            claimed += found;
            *self.served.entry(turn.lane.clone()).or_default() += found;
            if found < turn.tasks {
                self.fair.came_short(&turn, found);
            }
        }
        claimed
    }

    fn served(&self, number: u128) -> usize {
        let of = |lane: &&Lane| lane.tenant == tenant(number);
        let lanes = self.served.keys().filter(of);
        lanes.map(|lane| self.served[lane]).sum()
    }

    fn left(&self) -> usize {
        self.queues.values().sum()
    }
}

#[test]
fn ten_tasks_beside_a_hundred_thousand_wait_for_ten() {
    let mut model = Model::new(Weights::default());
    model.queue(lane(1, ""), 100_000);
    for _ in 0..1_000 {
        model.claim(1);
    }
    model.queue(lane(2, ""), 10);
    for _ in 0..20 {
        model.claim(1);
    }
    assert_eq!(model.served(2), 10);
}

#[test]
fn weights_are_shares_of_those_that_have_work() {
    let weights = Weights {
        tenants: [(tenant(1), 3)].into(),
        pools: [("fast".to_owned(), 4)].into(),
    };
    let mut model = Model::new(weights);
    model.queue(lane(1, ""), 10_000);
    model.queue(lane(2, "fast"), 10_000);
    model.queue(lane(2, "slow"), 10_000);
    for _ in 0..100 {
        model.claim(20);
    }
    assert_eq!((model.served(1), model.served(2)), (1_500, 500));
    assert_eq!(model.served[&lane(2, "fast")], 400);
}

#[test]
fn who_rests_saves_nothing_up() {
    let mut model = Model::new(Weights::default());
    model.queue(lane(1, ""), 1_000);
    model.queue(lane(2, ""), 1);
    for _ in 0..500 {
        model.claim(1);
    }
    model.queue(lane(2, ""), 1_000);
    let before = (model.served(1), model.served(2));
    for _ in 0..100 {
        model.claim(1);
    }
    let after = (model.served(1) - before.0, model.served(2) - before.1);
    assert!(after.0.abs_diff(after.1) <= 2, "{after:?}");
}

#[test]
fn what_is_empty_leaves_nothing_behind() {
    let mut model = Model::new(Weights::default());
    for number in 0..100 {
        model.queue(lane(number, "a"), 3);
        model.queue(lane(number, "b"), 1);
    }
    while model.claim(7) > 0 || !model.fair.is_idle() {}
    assert_eq!(model.left(), 0);
    model.queue(lane(200, ""), 5);
    while model.claim(2) > 0 || !model.fair.is_idle() {}
    assert!(model.fair.tenants.times.len() <= 2 + 100, "bounded");
    assert!(model.fair.tenants.order.is_empty());
}

proptest! {
    /// Two tenants that both have work all the time get what their weights say, to within one
    /// claim and one task of the other.
    #[test]
    fn shares_are_those_of_the_weights(
        one in 1_u32..50,
        other in 1_u32..50,
        places in 1_usize..40,
        claims in 1_usize..200,
    ) {
        let weights = Weights {
            tenants: [(tenant(1), one), (tenant(2), other)].into(),
            ..Weights::default()
        };
        let mut model = Model::new(weights);
        model.queue(lane(1, ""), 100_000);
        model.queue(lane(2, ""), 100_000);
        for _ in 0..claims {
            prop_assert_eq!(model.claim(places), places);
        }
        let total = (claims * places) as f64;
        let wanted = total * f64::from(one) / f64::from(one + other);
        let bound = 1.0 + f64::from(one.max(other)) / f64::from(one.min(other)) + total * 0.001;
        prop_assert!((model.served(1) as f64 - wanted).abs() <= bound, "{} of {wanted}", model.served(1));
    }

    /// Whatever comes when: places stay empty only when nothing waits, and every queue is emptied.
    #[test]
    fn no_place_stays_empty_beside_work(
        steps in prop::collection::vec((0_u128..6, 0_usize..3, 0_usize..30, 1_usize..20), 1..60),
    ) {
        let mut model = Model::new(Weights::default());
        for (number, pool, tasks, places) in steps {
            model.queue(lane(number, ["", "a", "b"][pool]), tasks);
            // A claim that came short is made again, as the engine does.
            let mut free = places;
            while free > 0 && !model.fair.is_idle() {
                free -= model.claim(free);
            }
            prop_assert!(free == 0 || model.left() == 0);
        }
        while !model.fair.is_idle() {
            model.claim(8);
        }
        prop_assert_eq!(model.left(), 0);
    }
}
