//! The one text of a fact's value: it stands in every line's citations, so that a book whose value
//! changed under the same version id is noticed (T-05).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::layer::Shares;
use crate::{
    event::Modality,
    money::{Fen, Ppm, UnitPrice},
    policy::{
        ChargeModel, Completeness, CountingUnit, DateBasis, FilmRule, RetentionClock, SurplusTo,
        TransferBasis, Trigger, Unearned,
    },
};

/// A value of the book file as one text, as section 7 of the specification gives it.
pub(super) trait Plain {
    fn plain(&self) -> String;
}

macro_rules! plain {
    ($($name:ty => $of:expr;)*) => {
        $(impl Plain for $name {
            fn plain(&self) -> String {
                let of: fn(&$name) -> String = $of;
                of(self)
            }
        })*
    };
}

plain! {
    u32 => |number| number.to_string();
    String => Clone::clone;
    Fen => |fen| fen.get().to_string();
    Ppm => |share| share.get().to_string();
    UnitPrice => |price| price.micro_yuan().to_string();
    ChargeModel => |word| word.name().to_string();
    CountingUnit => |word| word.name().to_string();
    Trigger => |word| word.name().to_string();
    Completeness => |word| word.name().to_string();
    DateBasis => |word| word.name().to_string();
    SurplusTo => |word| word.name().to_string();
    TransferBasis => |word| word.name().to_string();
    Unearned => |word| word.name().to_string();
    RetentionClock => |word| word.name().to_string();
    FilmRule => |word| word.name().to_string();
    Vec<Modality> => |list| list.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",");
    Shares => |shares| {
        let parts = shares.iter().map(|(party, share)| alloc::format!("{party}={}", share.get()));
        parts.collect::<Vec<_>>().join(",")
    };
}
