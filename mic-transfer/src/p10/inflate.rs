//! A deflated data set (PS3.5 A.5) as bytes to read, up to its first fault.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress};

use super::input::{Forward, Input};

/// Why the bytes end before the stream does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// What stands there is no deflated stream.
    Stream,
    /// The reader below failed.
    Reader(io::ErrorKind),
}

/// The inflated bytes. A fault ends them, and is told by [`fault`](Self::fault) alone, so that everything before it is
/// read however the bytes came.
pub(super) struct Inflating<'i, F> {
    input: &'i mut Input<F>,
    inflate: Decompress,
    fault: Option<Fault>,
}

impl<'i, F: Forward> Inflating<'i, F> {
    /// From here on.
    pub(super) fn new(input: &'i mut Input<F>) -> Self {
        Self {
            input,
            inflate: Decompress::new(false),
            fault: None,
        }
    }

    /// What was met, if the end was not that of the stream.
    pub(super) const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// One step: how many bytes came out, `None` when there may be more of them with more input.
    fn step(&mut self, into: &mut [u8]) -> Result<Option<usize>, Fault> {
        let ready = self
            .input
            .peek(1)
            .map_err(|error| Fault::Reader(error.kind()))?;
        let at_end = ready.is_empty();
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let flush = if at_end {
            FlushDecompress::Finish
        } else {
            FlushDecompress::None
        };
        let state = self.inflate.decompress(ready, into, flush);
        let taken = self.inflate.total_in() - taken;
        let given = self.inflate.total_out() - given;
        self.input
            .skip(taken)
            .map_err(|error| Fault::Reader(error.kind()))?;
        let given = usize::try_from(given).map_err(|_| Fault::Stream)?;
        match state {
            // What came out before the fault is given first; the fault is met again.
            Err(_) if given == 0 => Err(Fault::Stream),
            Err(_) | Ok(flate2::Status::StreamEnd) => Ok(Some(given)),
            Ok(_) if given == 0 && !at_end && taken > 0 => Ok(None),
            Ok(_) if given == 0 && !at_end => Err(Fault::Stream),
            Ok(_) => Ok(Some(given)),
        }
    }
}

impl<F: Forward> Read for Inflating<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.fault.is_none() && !into.is_empty() {
            match self.step(into) {
                Ok(Some(given)) => return Ok(given),
                Ok(None) => {}
                Err(fault) => self.fault = Some(fault),
            }
        }
        Ok(0)
    }
}
