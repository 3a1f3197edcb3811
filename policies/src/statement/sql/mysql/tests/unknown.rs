pub(super) const CASES: &[&str] = &[];
