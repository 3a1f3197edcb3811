//! What pangate's benches measure with: benches live under benches/, their committed records under records/.

pub mod buffers;
pub mod processor;
