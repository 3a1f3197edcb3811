//! What people write is masked before it is kept: a card number in a reason or a statement is one all the same.

use scan::{Format, Scanner};

/// The text with its card numbers masked in full, and how many there were.
pub(crate) fn text(text: &str) -> (String, u32) {
    let mut bytes = text.as_bytes().to_vec();
    let count = Scanner::new().mask(&mut bytes, Format::Full);
    // Masks replace ASCII digits by ASCII: the text stays UTF-8.
    (String::from_utf8_lossy(&bytes).into_owned(), u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_do_not_stay() {
        let (masked, count) = text("über 4111 1111 1111 1111, bitte");
        assert_eq!(count, 1);
        assert!(!masked.contains("4111") && masked.starts_with("über ") && masked.ends_with(", bitte"));
        assert_eq!(text("ticket 7, as agreed"), ("ticket 7, as agreed".to_owned(), 0));
    }
}
