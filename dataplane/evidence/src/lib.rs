//! What pangate records, and the form that makes it impossible to alter unseen. No I/O.
pub mod record;
