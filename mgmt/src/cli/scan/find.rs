//! Finds the card numbers in one unit. A number's finding depends on at most 128 bytes around it, so chunks are read
//! with a margin on both sides and each takes the hits that begin in its own part: none is lost or told twice.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use ::scan::{Format, Hit as Found, Kind, Scanner};
use serde::Serialize;

use super::super::output::printable;
use super::Encoding;
use super::plan::{CHUNK_BYTES, Chunk, Compression, Stream};

/// Bytes read on either side of a part.
const MARGIN: usize = 4096;
const _: () = assert!(MARGIN > 2 * ::scan::HOLDBACK_BYTES_MAX);
/// Bytes that are read and looked through at once: what was read is still in the core's own cache then.
const PIECE_BYTES: u64 = 512 << 10;
/// Members of an archive that are looked into.
const MEMBERS_MAX: usize = 1 << 20;
/// Decompressed bytes that are looked through of one file at most.
const DECOMPRESSED_BYTES_MAX: u64 = 1 << 40;
/// Memory that a zstd file may ask for, as a power of two.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// One card number, masked. As in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Hit {
    path: Arc<str>,
    offset: u64,
    length: usize,
    brand: &'static str,
    masked: String,
    /// pan, track1, track2.
    kind: &'static str,
    /// A card code stands beside it.
    code: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<Compression>,
    /// What the characters there stand for is the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

/// Whoever printed the hits has gone.
#[derive(Debug)]
pub(super) struct NobodyListens;

/// A worker's scanner and buffer.
pub(super) struct Finder<'a> {
    scanner: Scanner,
    decode: &'a [Encoding],
    buffer: Vec<u8>,
}

impl<'a> Finder<'a> {
    /// With the fastest kernel of this machine; looks into these encodings too.
    pub(super) fn new(decode: &'a [Encoding]) -> Self {
        Self { scanner: Scanner::new(), decode, buffer: Vec::new() }
    }

    /// The hits that begin at offsets `start..end`, in order.
    fn find(&self, bytes: &[u8], part: &Part<'_>, start: u64, end: u64) -> Vec<Hit> {
        let mut hits = find(self.scanner, bytes, part, start, end);
        for encoding in self.decode {
            hits.extend(find_encoded(self.scanner, *encoding, bytes, part, start, end));
        }
        if !self.decode.is_empty() {
            hits.sort_by_key(|hit| hit.offset);
        }
        hits
    }

    /// The hits that begin in the chunk.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> io::Result<Vec<Hit>> {
        let mut hits = Vec::new();
        let mut start = chunk.start;
        while start < chunk.end {
            let end = chunk.end.min(start + PIECE_BYTES);
            hits.extend(self.piece(chunk, start, end)?);
            start = end;
        }
        Ok(hits)
    }

    fn piece(&mut self, chunk: &Chunk, start: u64, end: u64) -> io::Result<Vec<Hit>> {
        let margin = MARGIN as u64;
        let from = start.saturating_sub(margin);
        let to = chunk.length.min(end + margin);
        let wanted = usize::try_from(to - from).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.buffer.resize(wanted, 0);
        let read = fill_at(&chunk.file, &mut self.buffer, from)?;
        let bytes = self.buffer.get(..read).unwrap_or_default();
        Ok(self.find(bytes, &Part { path: &chunk.path, from, compression: None }, start, end))
    }

    /// Gives the hits of a stream to `tell`, part by part; what could not be read, if anything. A file that only looks
    /// compressed is scanned as it is.
    pub(super) fn stream<T>(&mut self, stream: Stream, mut tell: T) -> Result<Option<String>, NobodyListens>
    where
        T: FnMut(Vec<Hit>, u64) -> Result<(), NobodyListens>,
    {
        let Stream { path, reader, compression, raw } = stream;
        if let (Some(Compression::Zip), Some(file)) = (compression, &raw)
            && let Ok(archive) = zip::ZipArchive::new(&**file)
        {
            return self.archive(&path, archive, &mut tell);
        }
        let outcome = match decompress(reader, compression) {
            Ok(reader) => self.read_through(&path, reader, compression, &mut tell)?,
            Err(error) => Err(error),
        };
        let Err(error) = outcome else { return Ok(None) };
        let what =
            compression.map_or(String::new(), |kind| format!("cannot be decompressed as {}: ", kind.name()));
        let trouble = format!("{path}: {what}{error}");
        let (Some(raw), Some(_)) = (raw, compression) else { return Ok(Some(trouble)) };
        match self.read_through(&path, FromStart { file: raw, at: 0 }, None, &mut tell)? {
            Ok(()) => Ok(Some(format!("{trouble}; scanned as it is"))),
            Err(error) => Ok(Some(format!("{path}: {error}"))),
        }
    }

    /// Looks into each member; what could not be read, if anything. A hit's path is the archive's, then the member's.
    fn archive<T>(
        &mut self,
        path: &str,
        mut archive: zip::ZipArchive<&std::fs::File>,
        tell: &mut T,
    ) -> Result<Option<String>, NobodyListens>
    where
        T: FnMut(Vec<Hit>, u64) -> Result<(), NobodyListens>,
    {
        let mut troubles = Vec::new();
        if archive.len() > MEMBERS_MAX {
            troubles.push(format!("{path}: only the first {MEMBERS_MAX} members were looked into"));
        }
        for number in 0..archive.len().min(MEMBERS_MAX) {
            let member = match archive.by_index(number) {
                Ok(member) => member,
                Err(error) => {
                    troubles.push(format!("{path}: member {number}: {error}"));
                    continue;
                }
            };
            let name = member.name().map_or_else(|_| number.to_string(), |name| name.into_owned());
            let name: Arc<str> = format!("{path}/{name}").into();
            if let Err(error) = self.read_through(&name, member, Some(Compression::Zip), tell)? {
                troubles.push(format!("{name}: {error}"));
            }
        }
        Ok((!troubles.is_empty()).then(|| troubles.join("\n")))
    }

    fn read_through<R, T>(
        &mut self,
        path: &Arc<str>,
        mut reader: R,
        compression: Option<Compression>,
        tell: &mut T,
    ) -> Result<io::Result<()>, NobodyListens>
    where
        R: Read,
        T: FnMut(Vec<Hit>, u64) -> Result<(), NobodyListens>,
    {
        self.buffer.clear();
        // Offset of the buffer's first byte, and from where on hits are wanted.
        let (mut from, mut start) = (0, 0);
        loop {
            let room = (CHUNK_BYTES as usize + 2 * MARGIN).saturating_sub(self.buffer.len());
            let read = match reader.by_ref().take(room as u64).read_to_end(&mut self.buffer) {
                Ok(read) => read,
                Err(error) => return Ok(Err(error)),
            };
            let last = read < room;
            let filled = from + self.buffer.len() as u64;
            let end = if last { filled } else { filled - MARGIN as u64 };
            let part = Part { path, from, compression };
            tell(self.find(&self.buffer, &part, start, end), end - start)?;
            if last {
                return Ok(Ok(()));
            }
            if end > DECOMPRESSED_BYTES_MAX && compression.is_some() {
                return Ok(Err(io::ErrorKind::FileTooLarge.into()));
            }
            let kept = (2 * MARGIN).min(self.buffer.len());
            from = filled - kept as u64;
            self.buffer.drain(..self.buffer.len() - kept);
            start = end;
        }
    }
}

/// Whose bytes a buffer holds.
struct Part<'a> {
    path: &'a Arc<str>,
    /// Offset of the first.
    from: u64,
    compression: Option<Compression>,
}

/// The hits that begin at offsets `start..end`.
fn find(scanner: Scanner, bytes: &[u8], part: &Part<'_>, start: u64, end: u64) -> Vec<Hit> {
    let found: Vec<Found> = scanner.find(bytes).collect();
    let coded = coded(&found);
    let mut hits = Vec::new();
    for (number, found) in found.into_iter().enumerate() {
        let offset = part.from + found.range.start as u64;
        if found.kind == Kind::Code || offset < start || offset >= end {
            continue;
        }
        hits.push(Hit {
            path: Arc::clone(part.path),
            offset,
            length: found.range.len(),
            brand: found.brand.name(),
            masked: masked(scanner, bytes, found.range),
            kind: kind_name(found.kind),
            code: coded.contains(&number),
            compression: part.compression,
            encoding: None,
        });
    }
    hits
}

/// The same of what characters stand for. The margin holds what bears on a number, encoded too.
fn find_encoded(
    scanner: Scanner,
    encoding: Encoding,
    bytes: &[u8],
    part: &Part<'_>,
    start: u64,
    end: u64,
) -> Vec<Hit> {
    let found = scanner.find_encoded(bytes, encoding.as_finder_has_it());
    if found.is_empty() {
        return Vec::new();
    }
    let coded = coded(&found);
    let mut masked = bytes.to_vec();
    scanner.mask_encoded(&mut masked, encoding.as_finder_has_it(), Format::Last4);
    let hit = |(number, found): (usize, Found)| {
        let offset = part.from + found.range.start as u64;
        let wanted = found.kind != Kind::Code && (start..end).contains(&offset);
        let text = masked.get(found.range.clone()).filter(|_| wanted)?;
        Some(Hit {
            path: Arc::clone(part.path),
            offset,
            length: found.range.len(),
            brand: found.brand.name(),
            masked: String::from_utf8_lossy(text).into_owned(),
            kind: kind_name(found.kind),
            code: coded.contains(&number),
            compression: part.compression,
            encoding: Some(encoding.name()),
        })
    };
    found.into_iter().enumerate().filter_map(hit).collect()
}

/// Which of these numbers have a card code beside them: of each code the nearer neighbour.
fn coded(found: &[Found]) -> BTreeSet<usize> {
    let mut coded = BTreeSet::new();
    for (place, code) in found.iter().enumerate().filter(|(_, found)| found.kind == Kind::Code) {
        let neighbour = |place: Option<usize>| {
            let place = place?;
            let number = found.get(place).filter(|number| number.kind != Kind::Code)?;
            let before = code.range.start.saturating_sub(number.range.end);
            let behind = number.range.start.saturating_sub(code.range.end);
            Some((before.max(behind), place))
        };
        let nearer =
            [neighbour(place.checked_sub(1)), neighbour(place.checked_add(1))].into_iter().flatten().min();
        coded.extend(nearer.map(|(_, number)| number));
    }
    coded
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Track1 => "track1",
        Kind::Track2 => "track2",
        _ => "pan",
    }
}

/// The hit's bytes with all but the last four digits hidden, and nothing left open of a track.
fn masked(scanner: Scanner, bytes: &[u8], range: std::ops::Range<usize>) -> String {
    let near = 2 * ::scan::HOLDBACK_BYTES_MAX;
    let first = range.start.saturating_sub(near);
    let last = bytes.len().min(range.end + near);
    let mut around = bytes.get(first..last).unwrap_or_default().to_vec();
    scanner.mask(&mut around, Format::Last4);
    let masked = around.get(range.start - first..range.end - first).unwrap_or_default();
    let safe = scanner.find(masked).next().is_none() && bytes.get(range.clone()) != Some(masked);
    match safe {
        true => String::from_utf8_lossy(masked).into_owned(),
        false => "*".repeat(range.len()),
    }
}

fn decompress(
    reader: Box<dyn Read + Send>,
    compression: Option<Compression>,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        None => reader,
        Some(Compression::Zip) => return Err(io::Error::other("its list of members cannot be read")),
        Some(Compression::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Some(Compression::Zstd) => {
            let mut decoder = zstd::Decoder::new(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

/// Reads until the buffer is full or the file ends.
fn fill_at(file: &std::fs::File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file from its beginning, wherever its own position is.
struct FromStart {
    file: Arc<std::fs::File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }
}

/// A line for people.
impl fmt::Display for Hit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, offset, length, brand, masked, kind, code, compression, encoding } = self;
        write!(out, "{}", printable(path))?;
        if let Some(compression) = compression {
            write!(out, " ({})", compression.name())?;
        }
        write!(out, ": offset {offset}, length {length}: {brand} {}", printable(masked))?;
        if *kind != "pan" {
            write!(out, " ({kind})")?;
        }
        if let Some(encoding) = encoding {
            write!(out, " (in {encoding})")?;
        }
        if *code {
            write!(out, " (card code beside it)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Plan, Unit};
    use super::*;

    const PAN: &[u8] = b"4111111111111111";

    /// All hits of a file, unit by unit, and the troubles.
    fn scan(bytes: &[u8]) -> (Vec<Hit>, Vec<String>) {
        scan_with(bytes, &[])
    }

    fn scan_with(bytes: &[u8], decode: &[Encoding]) -> (Vec<Hit>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, bytes).unwrap();
        let (mut hits, mut troubles) = (Vec::new(), Vec::new());
        let plan = Plan::new(&[file]);
        let mut finder = Finder::new(decode);
        while let Some((_, unit)) = plan.next() {
            match unit.unwrap() {
                Unit::Chunk(chunk) => hits.extend(finder.chunk(&chunk).unwrap()),
                Unit::Stream(stream) => {
                    let tell = |found: Vec<Hit>, _| {
                        hits.extend(found);
                        Ok(())
                    };
                    troubles.extend(finder.stream(stream, tell).unwrap());
                }
            }
        }
        (hits, troubles)
    }

    fn offsets(hits: &[Hit]) -> Vec<u64> {
        hits.iter().map(|hit| hit.offset).collect()
    }

    /// A text over several chunks with a number at each of these offsets.
    fn text_with(offsets: &[usize]) -> Vec<u8> {
        let mut text = vec![b'.'; 2 * CHUNK_BYTES as usize + 100_000];
        for line in text.chunks_mut(80) {
            if let Some(last) = line.last_mut() {
                *last = b'\n';
            }
        }
        for offset in offsets {
            text[offset - 1] = b' ';
            text[*offset..offset + PAN.len()].copy_from_slice(PAN);
            text[offset + PAN.len()] = b' ';
        }
        text
    }

    #[test]
    fn a_number_on_a_chunks_border_is_found_once() {
        let border = CHUNK_BYTES as usize;
        for shift in 0..=PAN.len() {
            let places = [1, border - shift, border + 4096, 2 * border - shift + 7];
            let wanted: Vec<u64> = places.iter().map(|place| *place as u64).collect();
            let text = text_with(&places);
            assert_eq!(offsets(&scan(&text).0), wanted, "shift {shift}");
        }
    }

    #[test]
    fn compressed_files_are_looked_into() {
        use std::io::Write as _;
        let border = CHUNK_BYTES as usize + 2 * MARGIN;
        let places = [1, border - MARGIN - 5, border - 5, border + 5000];
        let wanted: Vec<u64> = places.iter().map(|place| *place as u64).collect();
        let text = text_with(&places);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        for packed in [gzip.finish().unwrap(), zstd::encode_all(text.as_slice(), 1).unwrap()] {
            let (hits, troubles) = scan(&packed);
            assert_eq!(offsets(&hits), wanted);
            assert!(hits[0].compression.is_some());
            assert!(troubles.is_empty());
        }
    }

    #[test]
    fn members_of_an_archive_are_looked_into() {
        use std::io::Write as _;
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, method) in
            [("plain.txt", zip::CompressionMethod::Stored), ("a/b.log", zip::CompressionMethod::Deflated)]
        {
            archive.start_file(name, options.compression_method(method)).unwrap();
            archive.write_all(&text_with(&[7, 70_000])).unwrap();
        }
        let packed = archive.finish().unwrap().into_inner();
        let (hits, troubles) = scan(&packed);
        assert_eq!(offsets(&hits), [7, 70_000, 7, 70_000]);
        assert!(hits[0].path.ends_with("/plain.txt") && hits[2].path.ends_with("/a/b.log"));
        assert!(troubles.is_empty());
        // Cut short, it is no archive any more: what is stored plainly is found all the same.
        let (hits, troubles) = scan(&packed[..packed.len() / 2]);
        assert!(hits.len() >= 2 && troubles[0].contains("zip"), "{troubles:?}");
    }

    #[test]
    fn what_only_looks_compressed_is_scanned_as_it_is() {
        let (hits, troubles) = scan(&[b"\x1f\x8b\x08 ", PAN].concat());
        assert_eq!(offsets(&hits), [4]);
        assert!(troubles[0].contains("gzip"));
    }

    #[test]
    fn nothing_unmasked_is_shown() {
        let text =
            "a 4111 1111 1111 1111 b %B4111111111111111^DOE/JOHN^30121010000000000? c 378282246310005\n";
        let (hits, _) = scan(text.as_bytes());
        let shown: Vec<String> = hits.iter().map(ToString::to_string).collect();
        assert!(shown[0].ends_with("offset 2, length 19: visa **** **** **** 1111"), "{}", shown[0]);
        assert!(shown[2].ends_with("length 15: amex ***********0005"), "{}", shown[2]);
        let all = shown.concat();
        assert!(Scanner::new().find(all.as_bytes()).next().is_none());
        assert!(!all.contains("DOE"));
        assert_eq!(hits[1].kind, "track1");
    }

    #[test]
    fn a_card_code_is_told_with_the_number_it_stands_beside() {
        let (hits, _) = scan(b"pan 4111111111111111 cvv 123\n\n\n\n\nand 378282246310005 alone\n");
        assert_eq!(hits.iter().map(|hit| hit.code).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_text_stands_for_is_looked_into_where_it_is_asked_for() {
        let base64 = "NDExMTExMTExMTExMTExMQ==";
        let hex = "34313131313131313131313131313131";
        let text = format!("a {base64} b \\x{hex} c {}", String::from_utf8_lossy(PAN));
        let (plain, _) = scan(text.as_bytes());
        assert_eq!(offsets(&plain), [text.len() as u64 - 16]);
        let (all, _) = scan_with(text.as_bytes(), &[Encoding::Base64, Encoding::Hex]);
        let told: Vec<_> = all.iter().map(|hit| (hit.offset, hit.length, hit.encoding)).collect();
        let second = text.find(hex).unwrap() as u64;
        let last = (text.len() as u64 - 16, 16, None);
        assert_eq!(told, [(2, 22, Some("base64")), (second, 32, Some("hex")), last]);
        assert_eq!(all[1].masked, "2a2a2a2a2a2a2a2a2a2a2a2a31313131");
        assert!(!all[0].masked.contains("NDEx"), "{}", all[0].masked);
        // On a chunk's border.
        for shift in [0, 1, 17, 31] {
            let place = CHUNK_BYTES as usize - shift;
            let mut text = vec![b'.'; 2 * CHUNK_BYTES as usize];
            text[place..place + hex.len()].copy_from_slice(hex.as_bytes());
            assert_eq!(offsets(&scan_with(&text, &[Encoding::Hex]).0), [place as u64]);
        }
    }
}
