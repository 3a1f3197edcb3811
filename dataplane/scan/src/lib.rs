//! The card finder.
pub mod mask;
pub use mask::Format;
