//! MySQL's engine in a rig: brought to where a target begins; any bytes as packets in sequence.
#![allow(dead_code, reason = "each target uses its part")]

use wire::Side;
use wire::mysql::{Config, Session};

use crate::rig::{self, Rig};

const DEPRECATE_EOF: u32 = 1 << 24;
/// PROTOCOL_41, SECURE_CONNECTION, MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS, PLUGIN_AUTH, SESSION_TRACK.
const PLAIN: u32 = 1 | 1 << 9 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 23;

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_le_bytes()[..3], &[sequence], payload].concat()
}

fn packets(first: u8, payloads: &[&[u8]]) -> Vec<u8> {
    (first..).zip(payloads).flat_map(|(sequence, payload)| packet(sequence, payload)).collect()
}

/// Bytes as packets: each begins with its length. They are numbered from `first`, or each from it anew.
pub fn framed(mut bytes: &[u8], first: u8, anew: bool) -> Vec<u8> {
    let mut all = Vec::new();
    let mut sequence = first;
    while let Some((&length, rest)) = bytes.split_first() {
        let (payload, behind) = rest.split_at(rest.len().min(length.into()));
        all.extend(packet(sequence, payload));
        sequence = if anew { first } else { sequence.wrapping_add(1) };
        bytes = behind;
    }
    all
}

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const COLUMN: &[u8] = b"\x03def\0\0\0\x01c\0\x0c\x2d\0\x80\0\0\0\xfd\0\0\0\0\0";

impl Rig<Session> {
    pub fn at_the_door() -> Self {
        Self::new(Session::new(Config { version: "10.11.6-MariaDB".into(), ..Config::default() }))
    }

    fn capabilities(old: bool) -> [u8; 4] {
        if old { PLAIN } else { PLAIN | DEPRECATE_EOF }.to_le_bytes()
    }

    pub fn admitted(old: bool) -> Self {
        let mut rig = Self::at_the_door();
        let flags = Self::capabilities(old);
        let response = [&flags[..], &[0, 0, 0, 1, 45], &[0; 23], b"job\0\x06token\0mysql_clear_password\0"];
        rig.feed(Side::Client, &packet(1, &response.concat()), 255);
        rig.connected();
        assert!(!rig.closed);
        rig
    }

    pub fn open(old: bool) -> Self {
        let mut rig = Self::admitted(old);
        let flags = Self::capabilities(false);
        let greeting = [
            b"\x0a8.4.3\0\x01\0\0\0abcdefgh\0".as_slice(),
            &flags[..2],
            b"\xff\x02\0",
            &flags[2..],
            &[21],
            &[0; 10],
            b"ijklmnopqrst\0mysql_native_password\0",
        ];
        rig.feed(Side::Server, &packet(0, &greeting.concat()), 255);
        rig.feed(Side::Server, &packet(2, OK), 255);
        let (row, end) = (b"\x12utf8mb4_general_ci\0".as_slice(), b"\xfe\0\0\x02\0".as_slice());
        if old {
            rig.feed(Side::Server, &packets(1, &[b"\x02", COLUMN, COLUMN, end, row, end]), 255);
        } else {
            let end = [end, b"\0\0"].concat();
            rig.feed(Side::Server, &packets(1, &[b"\x02", COLUMN, COLUMN, row, &end]), 255);
        }
        rig.feed(Side::Server, &packet(1, OK), 255);
        assert!(!rig.closed);
        rig
    }

    /// A command of some kind, so that answers have something to belong to.
    pub fn command(&mut self, kind: u8, old: bool) {
        let prepared = |rig: &mut Self| {
            rig.feed(Side::Client, &packet(0, b"\x16select ?"), 255);
            rig.feed(Side::Server, &packet(1, b"\0\x07\0\0\0\0\0\0\0\0\0\0"), 255);
        };
        match kind % 8 {
            0 => self.feed(Side::Client, &packet(0, b"\x16select ?"), 255),
            1 => {
                prepared(self);
                self.feed(Side::Client, &packet(0, b"\x17\x07\0\0\0\x01\x01\0\0\0"), 255);
            }
            2 => {
                prepared(self);
                self.feed(Side::Client, &packet(0, b"\x17\x07\0\0\0\x01\x01\0\0\0"), 255);
                let end = if old { b"\xfe\0\0\x42\0".as_slice() } else { b"\xfe\0\0\x42\0\0\0" };
                self.feed(Side::Server, &packets(1, &[b"\x01", COLUMN, end]), 255);
                self.feed(Side::Client, &packet(0, b"\x1c\x07\0\0\0\x01\0\0\0"), 255);
            }
            3 => self.feed(Side::Client, &packet(0, b"\x04table\0"), 255),
            4 => self.feed(Side::Client, &packet(0, b"\x1f"), 255),
            5 => self.feed(Side::Client, &packet(0, b"\x09"), 255),
            _ => self.feed(Side::Client, &packet(0, b"\x03select"), 255),
        }
    }

    /// Brings a session to where a row of one text column is due, and gives it one with a card number.
    pub fn show_card(&mut self, filler: &[u8], old: bool, seed: u8) {
        let mut rig = Self::open(old);
        rig.feed(Side::Client, &packet(0, b"\x03select"), 255);
        let cell = rig::cell(filler);
        let row = [&[0xfc], &(cell.len() as u16).to_le_bytes()[..], &cell].concat();
        let end = b"\xfe\0\0\x02\0".as_slice();
        let bytes = if old {
            packets(1, &[b"\x01", COLUMN, end, &row])
        } else {
            packets(1, &[b"\x01", COLUMN, &row])
        };
        rig.feed(Side::Server, &bytes, seed);
        rig.check_no_card();
        assert!(!rig.closed);
    }

    /// OK, or what else may be due.
    pub fn answer(&mut self) {
        for _ in 0..4 {
            self.feed(Side::Server, &packet(1, b"\xff\x28\x04#42000no"), 255);
        }
    }
}
