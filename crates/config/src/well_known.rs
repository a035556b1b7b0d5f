//! Environment names that people already have set, and the keys they stand for.

/// Name of the environment variable, key of ours. Where two names share a key the first one set wins.
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("QWEN_API_KEY", "models.openai.api_key"),
    ("QWEN_BASE_URL", "models.openai.base_url"),
    ("OPENAI_API_KEY", "models.openai.api_key"),
    ("OPENAI_BASE_URL", "models.openai.base_url"),
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "cache.url"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp_endpoint"),
];

/// What is set implicitly: a Qwen key without an address means Qwen's own compatible endpoint.
pub(crate) const QWEN_BASE_URL: &str = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1";
