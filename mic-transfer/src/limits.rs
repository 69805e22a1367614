//! Every limit by name, with its reason.

/// Bytes of a chunk: the unit that is verified, asked for and re-ordered.
///
/// 256 KiB is 2.2 ms of a gigabit line, so a click waits no longer; its leaf of 32 bytes costs
/// 0.012 %. A power of two of at least 1 KiB, as subtrees of BLAKE3 must be.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Most bytes of one instance: 65,536 chunks, whose leaves fill one frame of 2 MiB.
///
/// Native pixel data ends at 4 GiB (a 32-bit length); encapsulated ones stay far below.
pub const INSTANCE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Most instances of a study: 26 times the 5,000 images of the largest exam reported.
pub const INSTANCES_MAX: usize = 131_072;

/// Fewest bytes of a piece of PixelData: below it what it costs in the manifest and on the line is no longer
/// small beside what it saves, and no chunk lies in more than 65 of them.
pub const PIECE_BYTES_MIN: u64 = 4096;

/// Most pieces of one instance: six times the frames of a large whole slide.
pub const PIECES_MAX: usize = 65_536;

/// Most pieces of a study: one for each of the most instances, or two of the most frames.
pub const STUDY_PIECES_MAX: usize = 131_072;

/// Most runs of held pieces that a source keeps for one connection, an instance without a run counted as
/// one: some thousand instances on their way, under 1 MiB of memory.
pub const HELD_RUNS_MAX: usize = 8192;

/// Most pieces that a store knows, the oldest of its studies going first: about 1 TB of CT. They take 70 MB.
pub const KNOWN_PIECES_MAX: usize = 1 << 21;

/// Most series, classes or transfer syntaxes of a study: they are numbered in 16 bits.
pub const LABELS_MAX: usize = 65_535;

/// Most bytes of a canonical manifest: the largest one these limits allow, rounded up.
pub const MANIFEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most first images named at the head of a manifest: the middle ones of 64 series.
pub const FIRST_IMAGES_MAX: usize = 64;

/// Most bytes of manifests, arriving or accepted, of all studies open at one receiver: two of the
/// largest, or a hundred of 5,000 images.
pub const OPEN_MANIFEST_BYTES_MAX: usize = 2 * MANIFEST_BYTES_MAX;

/// Most chunks of all studies open at one receiver: 256 GiB, whose leaves take 32 MiB.
pub const OPEN_CHUNKS_MAX: u32 = 1 << 20;

/// Most bytes of first images that come before they are asked for, of all studies open at one
/// receiver: they wait in memory until the manifest is whole, and once more while images are put together.
pub const EARLY_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// Most bytes of a manifest in one frame, so that a long one leaves room for clicks.
pub const MANIFEST_PART_BYTES: usize = 64 * 1024;

/// Most bytes of a manifest that go before the second of the first images: 2.2 ms of a gigabit line, for which other
/// connections begin a round trip of slow start earlier.
pub const MANIFEST_AHEAD_BYTES: usize = CHUNK_BYTES;

/// Most bytes of a control frame's body: the largest is a REQUEST with its authorisation.
pub const CONTROL_BYTES_MAX: usize = 32 * 1024;

/// Most bytes of a leaf list: those of the longest instance.
pub const LEAVES_BYTES_MAX: usize = 32 * 65_536;

/// Most runs in one WANT or RANK: 32 KiB of body.
pub const RUNS_MAX: usize = 4096;

/// Most runs a source keeps waiting on one connection: under 1 MiB of memory.
pub const QUEUED_RUNS_MAX: usize = 8192;

/// Most chunks a receiver has asked for and not got on one connection, however small they are: half
/// of what a source keeps waiting, so that a click may split runs.
pub const OWED_CHUNKS_MAX: usize = QUEUED_RUNS_MAX / 2;

/// Most studies open at once on one connection.
pub const SLOTS_MAX: usize = 64;

/// Most codecs of chunks named in a HELLO.
pub const CODECS_MAX: usize = 16;

/// Most bytes of an error's text.
pub const ERROR_TEXT_MAX: usize = 200;

const _: () = assert!(CHUNK_BYTES.is_power_of_two() && CHUNK_BYTES >= 1024);
const _: () = assert!(INSTANCE_BYTES_MAX / CHUNK_BYTES as u64 * 32 <= LEAVES_BYTES_MAX as u64);
const _: () = assert!(RUNS_MAX * 8 <= CONTROL_BYTES_MAX);
const _: () = assert!(crate::Auth::BYTES_MAX + 1024 <= CONTROL_BYTES_MAX);
