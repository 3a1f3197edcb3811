//! What is asked of the kernel beside sockets and files: wake-ups between threads, cores, descriptors. The only place beside the
//! ring that holds unsafe code.

pub mod affinity;
pub mod descriptors;
pub mod wake;
