//! Prompts of plain words, each different from its first word on.

const WORDS: [&str; 32] = [
    "morning", "server", "river", "message", "answer", "winter", "market", "letter", "garden",
    "signal", "window", "ledger", "harbour", "engine", "village", "record", "copper", "teacher",
    "lantern", "station", "valley", "journal", "bridge", "kitchen", "forest", "council", "island",
    "mirror", "orchard", "packet", "shelter", "number",
];

/// A question of about this many words.
pub(crate) fn question(seed: usize, words: usize) -> String {
    let mut state = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut text = format!("{seed}");
    for _ in 0..words {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[(state >> 59) as usize]);
    }
    text + ". Write a very long story of many paragraphs that uses these words."
}

/// The same question as the chat template of the model writes it.
pub(crate) fn framed(question: &str) -> String {
    format!("<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n")
}
