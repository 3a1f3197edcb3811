//! The PostgreSQL engine, protocol 3.0 and 3.2.
