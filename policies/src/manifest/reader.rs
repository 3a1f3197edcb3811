//! Reads nodes as what they should be. Nothing stops at an error: it is told, and what it was in is read on.

use super::tree::{Key, Kind, Node};
use crate::diagnostic::{At, Diagnostics, Place};

/// Reads a node, or tells why not.
pub(super) type Read<T> = fn(&Node, &mut Diagnostics<'_>) -> Option<T>;

/// A mapping that is being read: every key is asked for by name, and those that nobody asked for are errors.
pub(super) struct Fields<'n> {
    pub(super) place: Place,
    /// What the mapping is, for messages.
    what: &'static str,
    entries: &'n [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping.
    pub(super) fn open(node: &'n Node, what: &'static str, out: &mut Diagnostics<'_>) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            out.error(node.place, format!("{what} is a mapping; this is {}", kind(node)));
            return None;
        };
        for (index, (key, _)) in entries.iter().enumerate() {
            let earlier = entries.iter().take(index);
            if let Some((first, _)) = earlier.clone().find(|(earlier, _)| earlier.text == key.text) {
                let message = format!("`{}` stands twice; first on line {}", key.text, first.place.line);
                out.error(key.place, message);
            }
        }
        Some(Self { place: node.place, what, entries, known: Vec::new() })
    }

    /// Says better what the mapping is.
    pub(super) const fn call_it(&mut self, what: &'static str) {
        self.what = what;
    }

    /// A field that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: Read<T>,
        out: &mut Diagnostics<'_>,
    ) -> Option<T> {
        self.known.push(key);
        let (_, node) = self.entries.iter().find(|(own, _)| own.text == key)?;
        read(node, out)
    }

    /// A field that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: Read<T>,
        out: &mut Diagnostics<'_>,
    ) -> Option<T> {
        if !self.has(key) {
            out.error(self.place, format!("{} lacks `{key}`", self.what));
        }
        self.optional(key, read, out)
    }

    /// A list; absent: empty.
    pub(super) fn list<T>(&mut self, key: &'static str, read: Read<T>, out: &mut Diagnostics<'_>) -> Vec<T> {
        self.known.push(key);
        let Some((_, node)) = self.entries.iter().find(|(own, _)| own.text == key) else {
            return Vec::new();
        };
        let Kind::Sequence(items) = &node.kind else {
            out.error(node.place, format!("`{key}` is a list; this is {}", kind(node)));
            return Vec::new();
        };
        if items.is_empty() {
            out.error(node.place, format!("`{key}` is empty"));
        }
        items.iter().filter_map(|item| read(item, out)).collect()
    }

    /// A list that must be there.
    pub(super) fn required_list<T>(
        &mut self,
        key: &'static str,
        read: Read<T>,
        out: &mut Diagnostics<'_>,
    ) -> Vec<T> {
        if !self.has(key) {
            out.error(self.place, format!("{} lacks `{key}`", self.what));
        }
        self.list(key, read, out)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(own, _)| own.text == key)
    }

    /// Tells every key that nobody asked for.
    pub(super) fn close(self, out: &mut Diagnostics<'_>) {
        for (key, _) in self.entries {
            if self.known.iter().any(|known| *known == key.text) {
                continue;
            }
            let message = format!("{} has no key `{}`", self.what, shown(&key.text));
            match nearest(&key.text, &self.known) {
                Some(known) => out.error_with_help(key.place, message, format!("did you mean `{known}`?")),
                None => out.error_with_help(key.place, message, format!("it has {}", self.known.join(", "))),
            }
        }
    }
}

/// What a node is, in words.
pub(super) fn kind(node: &Node) -> &'static str {
    match node.kind {
        Kind::Null => "empty",
        Kind::Scalar(_) => "a single value",
        Kind::Sequence(_) => "a list",
        Kind::Mapping(_) => "a mapping",
    }
}

/// A scalar's text; not empty, and without control characters.
pub(super) fn text(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<String>> {
    let Kind::Scalar(text) = &node.kind else {
        out.error(node.place, format!("a single value is needed here; this is {}", kind(node)));
        return None;
    };
    if text.trim().is_empty() {
        out.error(node.place, "an empty text");
        return None;
    }
    if text.chars().any(char::is_control) {
        out.error(node.place, "a text with control characters or line breaks");
        return None;
    }
    Some(At { value: text.clone(), place: node.place })
}

/// A name of ours: what stands in rules, records and logs.
pub(super) fn name(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<String>> {
    const NAME_BYTES_MAX: usize = 63;
    let name = text(node, out)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = name.value.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || !name.value.chars().all(plain) || name.value.len() > NAME_BYTES_MAX {
        let help = "letters, digits, `-`, `_` and `.`, the first a letter or digit, 63 at most";
        out.error_with_help(name.place, "this is no name", help);
        return None;
    }
    Some(name)
}

/// One of some words.
pub(super) fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    out: &mut Diagnostics<'_>,
) -> Option<At<T>> {
    let found = text(node, out)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
        return Some(At { value: *value, place: found.place });
    }
    let all: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!("`{}` is not one of {}", shown(&found.value), all.join(", "));
    match nearest(&found.value, &all) {
        Some(word) => out.error_with_help(found.place, message, format!("did you mean `{word}`?")),
        None => out.error(found.place, message),
    }
    None
}

/// A whole number.
pub(super) fn number(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<u64>> {
    let found = text(node, out)?;
    let digits = found.value.bytes().all(|byte| byte.is_ascii_digit());
    if let (true, Ok(value)) = (digits, found.value.parse()) {
        return Some(At { value, place: found.place });
    }
    out.error(found.place, "a whole number is needed here, in digits alone");
    None
}

/// A duration: a whole number and its unit, in milliseconds.
pub(super) fn duration(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<u64>> {
    let found = text(node, out)?;
    if let Some(value) = milliseconds(&found.value) {
        return Some(At { value, place: found.place });
    }
    out.error(found.place, "a duration is needed here: a whole number and ms, s, m, h or d, as in 15m");
    None
}

fn milliseconds(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A text that an operator has written, shortened where it is long.
pub(super) fn shown(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let mut characters = text.chars();
    let short: String = characters.by_ref().take(CHARACTERS_MAX).filter(|c| !c.is_control()).collect();
    if characters.next().is_some() { format!("{short}…") } else { short }
}

/// The word that differs least, where it differs by little.
fn nearest(text: &str, words: &[&'static str]) -> Option<&'static str> {
    let budget = 1 + text.chars().count() / 4;
    let distances = words.iter().map(|word| (distance(text, word), *word));
    distances.filter(|(distance, _)| *distance <= budget).min().map(|(_, word)| word)
}

/// How many characters must be changed, put in or taken out to make one text the other; upper case counts for nothing.
fn distance(one: &str, other: &str) -> usize {
    const CHARACTERS_MAX: usize = 64;
    let other: Vec<char> = other.to_lowercase().chars().take(CHARACTERS_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, c) in one.to_lowercase().chars().take(CHARACTERS_MAX).enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (up, d) in row.iter().skip(1).zip(&other) {
            let changed = diagonal + usize::from(c != *d);
            left = changed.min(left + 1).min(up + 1);
            diagonal = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, expected) in [
            ("50ms", Some(50)),
            ("1s", Some(1000)),
            ("15m", Some(900_000)),
            ("1h", Some(3_600_000)),
            ("2d", Some(172_800_000)),
            ("15", None),
            ("m", None),
            ("1.5h", None),
            ("-1s", None),
            ("1 h", None),
            ("1H", None),
            ("99999999999999999d", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn distance_is_that_of_levenshtein() {
        for (one, other, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("Groups", "groups", 0),
            ("objcts", "objects", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} and {other}");
        }
        assert_eq!(nearest("objcts", &["verbs", "objects"]), Some("objects"));
        assert_eq!(nearest("password", &["username", "passwordFile"]), None);
    }
}
