//! Uploads and ledgers as maps; times are milliseconds since 1970-01-01 UTC.

use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::discreet;
use crate::ledger::{
    FailureClass, Ledger, ReasonCode, RestoreError, Upload, UploadParts, UploadState,
};
use crate::record::RecordKey;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureFields {
    class: FailureClass,
    reason: ReasonCode,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadFields {
    state: UploadState,
    attempts: u32,
    created_unix_ms: i64,
    changed_unix_ms: i64,
    #[serde(default)]
    failure: Option<FailureFields>,
    #[serde(default)]
    retry_unix_ms: Option<i64>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFields {
    key: RecordKey,
    upload: Upload,
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = self.to_parts();
        UploadFields {
            state: parts.state,
            attempts: parts.attempts,
            created_unix_ms: parts.created.timestamp_millis(),
            changed_unix_ms: parts.changed.timestamp_millis(),
            failure: parts
                .failure
                .map(|(class, reason)| FailureFields { class, reason }),
            retry_unix_ms: parts.retry.map(|at| at.timestamp_millis()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = UploadFields::deserialize(deserializer);
        let fields = discreet(
            fields,
            format_args!("expected an upload, found another map"),
        )?;
        let restored = time(fields.created_unix_ms).and_then(|created| {
            Self::from_parts(UploadParts {
                state: fields.state,
                attempts: fields.attempts,
                created,
                changed: time(fields.changed_unix_ms)?,
                failure: fields
                    .failure
                    .map(|failure| (failure.class, failure.reason)),
                retry: fields.retry_unix_ms.map(time).transpose()?,
            })
        });
        restored.map_err(de::Error::custom)
    }
}

fn time(unix_ms: i64) -> Result<DateTime<Utc>, RestoreError> {
    DateTime::from_timestamp_millis(unix_ms).ok_or(RestoreError::Range)
}

impl Serialize for Ledger {
    /// A list of keys with their uploads, in the order of the keys.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |(key, upload): (&RecordKey, &Upload)| EntryFields {
            key: *key,
            upload: *upload,
        };
        let entries: Vec<EntryFields> = self.iter().map(entry).collect();
        serializer.collect_seq(entries)
    }
}

impl<'de> Deserialize<'de> for Ledger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Ledger;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of uploads with their keys")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ledger, A::Error> {
                let mut entries: Vec<(RecordKey, Upload)> = Vec::new();
                while let Some(EntryFields { key, upload }) = seq.next_element()? {
                    // Written in order, read in order: a key cannot come twice unseen.
                    if entries.last().is_some_and(|(before, _)| *before >= key) {
                        return Err(de::Error::custom("expected keys in ascending order"));
                    }
                    entries.push((key, upload));
                }
                Ok(entries.into_iter().collect())
            }
        }

        let instead =
            format_args!("expected a list of uploads with their keys, found another value");
        discreet(deserializer.deserialize_seq(Entries), instead)
    }
}

/// An enumeration as its stable name.
macro_rules! named {
    ($($kind:ty = $expecting:literal from $of_name:expr;)*) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Name;

                impl Visitor<'_> for Name {
                    type Value = $kind;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: de::Error>(self, name: &str) -> Result<$kind, E> {
                        $of_name(name)
                            .ok_or_else(|| E::custom(concat!("expected ", $expecting)))
                    }
                }

                discreet(
                    deserializer.deserialize_str(Name),
                    format_args!(concat!("expected ", $expecting)),
                )
            }
        }
    )*};
}

named! {
    FailureClass = "retryable, needs_person or permanent"
        from |name| FailureClass::ALL.into_iter().find(|class| class.name() == name);
    UploadState = "the name of an upload's state"
        from |name| UploadState::ALL.into_iter().find(|state| state.name() == name);
}
