//! PostgreSQL's engine in a rig: brought to where a target begins.
#![allow(dead_code, reason = "each target uses its part")]

use wire::Side;
use wire::postgres::{Config, Session};

use crate::rig::{self, Rig};

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[tag], length.as_slice(), body].concat()
}

/// A DataRow of one text cell: a card number between `filler` and its end.
pub fn row(filler: &[u8]) -> Vec<u8> {
    let cell = rig::cell(filler);
    let length = (cell.len() as u32).to_be_bytes();
    message(b'D', &[&[0, 1], length.as_slice(), &cell].concat())
}

impl Rig<Session> {
    pub fn at_the_door() -> Self {
        Self::new(Session::new(Config::default()))
    }

    pub fn admitted() -> Self {
        let mut rig = Self::at_the_door();
        rig.feed(Side::Client, b"\0\0\0\x12\0\x03\0\0user\0job\0\0", 255);
        rig.feed(Side::Client, &message(b'p', b"token\0"), 255);
        rig.connected();
        rig
    }

    pub fn open() -> Self {
        let mut rig = Self::admitted();
        let greeting = [
            message(b'R', &[0; 4]),
            message(b'S', b"client_encoding\0UTF8\0"),
            message(b'S', b"standard_conforming_strings\0on\0"),
            message(b'K', &[0; 8]),
            message(b'Z', b"I"),
        ];
        rig.feed(Side::Server, &greeting.concat(), 255);
        assert!(!rig.closed);
        rig
    }

    /// Commands of several kinds, so that answers have something to belong to.
    pub fn commands(&mut self, kind: u8) {
        let batch = [
            message(b'P', b"s\0select\0\0\0"),
            message(b'D', b"Ss\0"),
            message(b'B', b"\0s\0\0\0\0\0\0\x01\0\x01"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
        ];
        if kind & 2 != 0 {
            self.feed(Side::Client, &batch.concat(), 255);
        }
        if kind & 4 != 0 {
            self.feed(Side::Client, &message(b'Q', b"bad\0"), 255);
        }
        for _ in 0..3 {
            self.feed(Side::Client, &message(b'Q', b"select\0"), 255);
        }
        self.feed(Side::Client, &batch.concat(), 255);
    }

    /// Brings the session to where a row of one text column is due.
    pub fn describe(&mut self) {
        *self = Self::open();
        self.feed(Side::Client, &message(b'Q', b"select\0"), 255);
        let column = [b"\0\x01c\0".as_slice(), &[0; 6], &25_u32.to_be_bytes(), &[0xff; 6], &[0, 0]].concat();
        self.feed(Side::Server, &message(b'T', &column), 255);
    }

    /// Ready, as often as it may be due.
    pub fn answer(&mut self) {
        for _ in 0..4 {
            self.feed(Side::Server, &message(b'E', b"SERROR\0C42601\0Mno\0\0"), 255);
            self.feed(Side::Server, &message(b'Z', b"I"), 255);
        }
    }
}
