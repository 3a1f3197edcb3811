//! A MySQL client of raw packets over a socket: commands as bytes, answers as payloads, rows cell by cell.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::handshake::{Client, packet};

pub(crate) const DEPRECATE_EOF: u64 = 1 << 24;
const MULTI_RESULTS: u64 = 1 << 17;
const PS_MULTI_RESULTS: u64 = 1 << 18;

/// A client that is let in.
pub(crate) struct Raw {
    socket: TcpStream,
    deprecate_eof: bool,
    sequence: u8,
}

/// One result: its columns' types and flags, its rows' payloads, the packet that ended it.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) kinds: Vec<u8>,
    pub(crate) rows: Vec<Vec<u8>>,
    pub(crate) end: Vec<u8>,
}

impl Raw {
    pub(crate) fn connect(port: u16, more: u64, less: u64) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).expect("the gateway");
        socket.set_nodelay(true).expect("no delay");
        let mut client = Client::new("mysql_clear_password", b"token\0");
        client.capabilities = (client.capabilities | more | MULTI_RESULTS | PS_MULTI_RESULTS) & !less;
        client.database = "work";
        let deprecate_eof = client.capabilities & DEPRECATE_EOF != 0;
        let mut raw = Self { socket, deprecate_eof, sequence: 0 };
        raw.packet();
        raw.socket.write_all(&client.packet(1)).expect("sent");
        raw.sequence = 2;
        let ok = raw.packet();
        assert_eq!(ok.first(), Some(&0), "{}", ok.escape_ascii());
        raw
    }

    pub(crate) fn send(&mut self, payload: &[u8]) {
        let mut rest = payload;
        self.sequence = 0;
        loop {
            let (part, behind) = rest.split_at(rest.len().min(0xff_ffff));
            self.socket.write_all(&packet(self.sequence, part)).expect("sent");
            self.sequence += 1;
            if part.len() < 0xff_ffff {
                return;
            }
            rest = behind;
        }
    }

    /// The next payload, put together of its packets, whose numbers are checked.
    pub(crate) fn packet(&mut self) -> Vec<u8> {
        let mut payload = Vec::new();
        loop {
            let mut head = [0; 4];
            self.socket.read_exact(&mut head).expect("a packet");
            assert_eq!(head[3], self.sequence, "in sequence");
            self.sequence = self.sequence.wrapping_add(1);
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
            let start = payload.len();
            payload.resize(start + length, 0);
            self.socket.read_exact(&mut payload[start..]).expect("a whole packet");
            if length < 0xff_ffff {
                return payload;
            }
        }
    }

    pub(crate) fn command(&mut self, command: u8, body: &[u8]) {
        self.send(&[&[command], body].concat());
    }

    /// A command that is answered by one packet.
    pub(crate) fn ask(&mut self, command: u8, body: &[u8]) -> Vec<u8> {
        self.command(command, body);
        self.packet()
    }

    /// One result, or what came in its place.
    pub(crate) fn rows(&mut self) -> Rows {
        let head = self.packet();
        if matches!(head[0], 0 | 0xff) {
            return Rows { end: head, ..Rows::default() };
        }
        let mut rows = Rows::default();
        for _ in 0..head[0] {
            let column = self.packet();
            rows.kinds.push(column[column.len() - 6]);
        }
        if !self.deprecate_eof {
            let end = self.packet();
            assert_eq!((end[0], end.len()), (0xfe, 5));
            if end[3] & 0x40 != 0 {
                rows.end = end;
                return rows;
            }
        }
        self.more_rows(&mut rows);
        rows
    }

    pub(crate) fn more_rows(&mut self, rows: &mut Rows) {
        loop {
            let row = self.packet();
            let most = if self.deprecate_eof { 0xff_ffff } else { 9 };
            if row[0] == 0xff || row[0] == 0xfe && row.len() < most {
                rows.end = row;
                return;
            }
            rows.rows.push(row);
        }
    }

    pub(crate) fn query(&mut self, sql: &str) -> Rows {
        self.command(3, sql.as_bytes());
        self.rows()
    }

    /// Prepares; the statement's number.
    pub(crate) fn prepare(&mut self, sql: &str) -> u32 {
        let head = self.ask(0x16, sql.as_bytes());
        assert_eq!(head[0], 0, "{}", head.escape_ascii());
        for count in [u16::from_le_bytes([head[7], head[8]]), u16::from_le_bytes([head[5], head[6]])] {
            for _ in 0..count {
                self.packet();
            }
            if count > 0 && !self.deprecate_eof {
                self.packet();
            }
        }
        u32::from_le_bytes(head[1..5].try_into().expect("four bytes"))
    }

    /// Executes with parameters of one type, as they stand in the packet; `None`: NULL.
    pub(crate) fn execute(&mut self, statement: u32, flags: u8, values: &[(u8, Option<Vec<u8>>)]) -> Rows {
        self.command(0x17, &execution(statement, flags, values, true));
        self.rows()
    }
}

/// The body of COM_STMT_EXECUTE.
pub(crate) fn execution(statement: u32, flags: u8, values: &[(u8, Option<Vec<u8>>)], binds: bool) -> Vec<u8> {
    let mut body = [&statement.to_le_bytes()[..], &[flags, 1, 0, 0, 0]].concat();
    if values.is_empty() {
        return body;
    }
    let mut nulls = vec![0; values.len().div_ceil(8)];
    for (index, (_, value)) in values.iter().enumerate() {
        if value.is_none() {
            nulls[index / 8] |= 1 << (index % 8);
        }
    }
    body.extend_from_slice(&nulls);
    body.push(u8::from(binds));
    if binds {
        values.iter().for_each(|(kind, _)| body.extend_from_slice(&[*kind, 0]));
    }
    values.iter().for_each(|(_, value)| body.extend(value.iter().flatten()));
    body
}

/// The cells of a text row.
pub(crate) fn cells(row: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut cells = Vec::new();
    let mut rest = row;
    while let Some((&first, behind)) = rest.split_first() {
        let (skip, length) = match first {
            0xfb => {
                cells.push(None);
                rest = behind;
                continue;
            }
            0xfc => (2, u64::from(u16::from_le_bytes([behind[0], behind[1]]))),
            0xfd => (3, u64::from(u32::from_le_bytes([behind[0], behind[1], behind[2], 0]))),
            0xfe => (8, u64::from_le_bytes(behind[..8].try_into().expect("eight bytes"))),
            length => (0, u64::from(length)),
        };
        let end = skip + usize::try_from(length).expect("a length");
        cells.push(Some(behind[skip..end].to_vec()));
        rest = &behind[end..];
    }
    cells
}
