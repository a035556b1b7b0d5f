//! Which lines are wanted, decided once for each place in the code.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};

use crate::trace;

/// Lines by level and target, and our spans, so that a warning carries their fields at any level.
///
/// Its answer depends on nothing but the place, so `tracing` keeps it there. A filter of one layer
/// among several would be asked at each entering of a span, too.
#[derive(Debug)]
pub(crate) struct Places(Targets);

impl Places {
    /// What this filter says, where it looks at nothing but level and target; else `None`.
    pub(crate) fn of(filter: &EnvFilter) -> Option<Self> {
        let directives = filter.to_string();
        let is_plain = !directives.contains(['[', ']', '{', '}']);
        if directives.is_empty() {
            return Some(Self(Targets::new()));
        }
        let targets = is_plain.then(|| directives.parse().ok());
        targets.flatten().map(Self)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        is_our_span(metadata) || self.0.would_enable(metadata.target(), metadata.level())
    }
}

/// Whether it is a span that lines shall carry at any level.
pub(crate) fn is_our_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= LevelFilter::INFO && trace::is_ours(metadata)
}

impl<S: Subscriber> Layer<S> for Places {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let targets = self.0.iter().map(|(_, level)| level).max();
        let all = targets.max(self.0.default_level());
        Some(all.unwrap_or(LevelFilter::OFF).max(LevelFilter::INFO))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::{Filter, SubscriberExt};
    use tracing_subscriber::{Layer as _, Registry};

    use super::*;

    /// Keeps the messages it sees.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_new_span(
            &self,
            attributes: &tracing::span::Attributes<'_>,
            _: &tracing::span::Id,
            _: Context<'_, S>,
        ) {
            let name = attributes.metadata().name().to_owned();
            self.0.lock().unwrap().push(name);
        }

        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            let place = format!("{} {}", event.metadata().target(), event.metadata().level());
            self.0.lock().unwrap().push(place);
        }
    }

    fn speak() {
        tracing::info_span!("ours").in_scope(|| {
            tracing::info_span!(target: "h2", "foreign").in_scope(|| {
                tracing::error!(target: "h2", "");
                tracing::warn!(target: "h2", "");
                tracing::debug!(target: "h2::codec", "");
            });
            tracing::debug_span!("detail").in_scope(|| tracing::warn!(""));
            tracing::info!("");
            tracing::trace!("");
        });
    }

    fn seen(subscriber: impl Subscriber + Send + Sync, seen: &Seen) -> Vec<String> {
        tracing::subscriber::with_default(subscriber, speak);
        seen.0.lock().unwrap().clone()
    }

    #[test]
    fn it_lets_through_what_the_filter_it_stands_for_does() {
        for directives in [
            "warn,swarm=info",
            "error",
            "off",
            "",
            "info,h2=debug",
            "h2",
            "swarm_telemetry=trace,h2::codec=debug",
        ] {
            let filter = || EnvFilter::try_new(directives).unwrap();
            let places = Places::of(&filter()).unwrap();
            let (one, other) = (Seen::default(), Seen::default());
            let by_place = Registry::default().with(places).with(one.clone());
            let ours = tracing_subscriber::filter::filter_fn(is_our_span)
                .with_max_level_hint(LevelFilter::INFO);
            let either = tracing_subscriber::filter::FilterExt::or(filter(), ours);
            let hint = Filter::<Registry>::max_level_hint(&either);
            let by_layer = Registry::default().with(other.clone().with_filter(either));
            let expected = seen(by_layer, &other);
            assert_eq!(seen(by_place, &one), expected, "{directives}");
            assert!(expected.contains(&"ours".to_owned()), "{directives}");
            let places = Places::of(&filter()).unwrap();
            let own = Layer::<Registry>::max_level_hint(&places);
            assert_eq!(own, hint, "{directives}");
        }
    }

    #[test]
    fn what_looks_into_spans_is_no_matter_of_places() {
        for directives in [
            "swarm[request]=debug",
            "[{task.id=t1}]=trace",
            "info,[a]=debug",
        ] {
            assert!(Places::of(&EnvFilter::try_new(directives).unwrap()).is_none());
        }
    }
}
