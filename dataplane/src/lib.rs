//! The gateway process.
pub mod leg;
pub mod limits;
pub mod ring;
