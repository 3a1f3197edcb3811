//! Checked reads; no other file indexes peer bytes.
