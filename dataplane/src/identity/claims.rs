//! Registered claims (RFC 7519, 4.1) out of a token's JSON, in the one form each may have. Leaves out what they mean.

use serde_json::Value;

use super::IdentityError;

/// Bytes of a subject, an issuer or an id.
const TEXT_BYTES_MAX: usize = 1024;
/// From here on a JSON number may not be the number that was written.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A text claim: not empty, no control characters (it goes into logs and into other protocols' fields).
pub(super) fn text<'a>(claims: &'a Value, name: &'static str) -> Result<Option<&'a str>, IdentityError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_plain(text) => Ok(Some(text)),
        Some(_) => Err(IdentityError::ClaimForm(name)),
    }
}

fn is_plain(text: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A NumericDate: whole seconds since 1970, a fraction cut off.
pub(super) fn seconds(claims: &Value, name: &'static str) -> Result<Option<u64>, IdentityError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(whole) = value.as_u64() {
        return Ok(Some(whole));
    }
    match value.as_f64() {
        Some(seconds) if (0.0..EXACT_MAX).contains(&seconds) => Ok(Some(seconds as u64)),
        _ => Err(IdentityError::ClaimForm(name)),
    }
}

/// Whether `aud`, a text or a list of texts, has this audience.
pub(super) fn has_audience(claims: &Value, audience: &str) -> Result<bool, IdentityError> {
    match claims.get("aud") {
        None => Err(IdentityError::ClaimMissing("aud")),
        Some(Value::String(one)) => Ok(one == audience),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            Ok(several.iter().any(|one| one.as_str() == Some(audience)))
        }
        Some(_) => Err(IdentityError::ClaimForm("aud")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_plain_and_bounded() {
        let claims = json!({
            "ok": "repo:a/b:ref:refs/heads/main", "none": "", "nul": "a\u{0}", "line": "a\nb", "number": 1,
            "null": null, "most": "x".repeat(TEXT_BYTES_MAX), "more": "x".repeat(TEXT_BYTES_MAX + 1),
        });
        assert_eq!(text(&claims, "ok"), Ok(Some("repo:a/b:ref:refs/heads/main")));
        assert_eq!(text(&claims, "missing"), Ok(None));
        assert_eq!(text(&claims, "most").map(|text| text.is_some()), Ok(true));
        for name in ["none", "nul", "line", "number", "null", "more"] {
            assert_eq!(text(&claims, name), Err(IdentityError::ClaimForm(name)), "{name}");
        }
    }

    #[test]
    fn dates_are_numbers_of_seconds() {
        let claims = json!({
            "whole": 1700000000, "part": 1700000000.9, "zero": 0, "large": u64::MAX,
            "negative": -1, "text": "1700000000", "null": null, "inexact": 1e19, "list": [1],
        });
        assert_eq!(seconds(&claims, "whole"), Ok(Some(1_700_000_000)));
        assert_eq!(seconds(&claims, "part"), Ok(Some(1_700_000_000)));
        assert_eq!(seconds(&claims, "zero"), Ok(Some(0)));
        assert_eq!(seconds(&claims, "large"), Ok(Some(u64::MAX)));
        assert_eq!(seconds(&claims, "missing"), Ok(None));
        for name in ["negative", "text", "null", "inexact", "list"] {
            assert_eq!(seconds(&claims, name), Err(IdentityError::ClaimForm(name)), "{name}");
        }
    }

    #[test]
    fn audiences_are_compared_whole() {
        let with = |aud: Value| json!({ "aud": aud });
        assert_eq!(has_audience(&with(json!("pangate")), "pangate"), Ok(true));
        assert_eq!(has_audience(&with(json!(["x", "pangate"])), "pangate"), Ok(true));
        for other in
            [json!("pangate2"), json!("Pangate"), json!("pangat"), json!([]), json!(["x"]), json!("")]
        {
            assert_eq!(has_audience(&with(other), "pangate"), Ok(false));
        }
        for form in [json!(1), json!(null), json!({"pangate": 1}), json!(["pangate", 1])] {
            assert_eq!(has_audience(&with(form), "pangate"), Err(IdentityError::ClaimForm("aud")));
        }
        assert_eq!(has_audience(&json!({}), "pangate"), Err(IdentityError::ClaimMissing("aud")));
    }
}
