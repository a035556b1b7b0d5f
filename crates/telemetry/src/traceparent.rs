//! The W3C header `traceparent` of a span: pure.

use opentelemetry::trace::SpanContext;

const LENGTH: usize = 55;

/// The header's text in ASCII, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
pub(crate) fn write(span: &SpanContext) -> [u8; LENGTH] {
    let mut text = [b'-'; LENGTH];
    text[..2].copy_from_slice(b"00");
    hex(&span.trace_id().to_bytes(), &mut text[3..35]);
    hex(&span.span_id().to_bytes(), &mut text[36..52]);
    hex(&[u8::from(span.is_sampled())], &mut text[53..]);
    text
}

fn hex(bytes: &[u8], text: &mut [u8]) {
    let digit = |number: u8| b"0123456789abcdef"[usize::from(number)];
    for (byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    #[test]
    fn it_is_written_as_the_standard_says() {
        let of = |flags| {
            let span = SpanContext::new(
                TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128),
                SpanId::from(0x00ad_6b71_6920_3331_u64),
                flags,
                false,
                TraceState::NONE,
            );
            String::from_utf8_lossy(&write(&span)).into_owned()
        };
        assert_eq!(
            of(TraceFlags::SAMPLED),
            "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-01"
        );
        assert!(of(TraceFlags::new(2)).ends_with("-00"));
    }
}
