//! The macro that makes a message out of a list of its fields.

/// Types of fields, and how they are given out.
macro_rules! kind {
    (text) => { String };
    (count) => { u32 };
    (number) => { Number };
    (uid) => { StudyInstanceUid };
    (time) => { Option<WireTime> };
    (date) => { Option<WireDate> };
    (division) => { Option<Division> };
    (url) => { Option<PageUrl> };
    (types) => { ExamTypes };
    (parts) => { Vec<SiteCode> };
    (($node:ty)) => { $node };
    ([$node:ty]) => { Vec<$node> };
}

macro_rules! view {
    (text) => { &str };
    (number) => { &Number };
    (url) => { Option<&PageUrl> };
    (parts) => { &[SiteCode] };
    (($node:ty)) => { &$node };
    ([$node:ty]) => { &[$node] };
    ($copied:tt) => { kind!($copied) };
}

macro_rules! viewed {
    (text, $value:expr) => {
        $value.as_str()
    };
    (number, $value:expr) => {
        &$value
    };
    (url, $value:expr) => {
        $value.as_ref()
    };
    (parts, $value:expr) => {
        $value.as_slice()
    };
    (($node:ty), $value:expr) => {
        &$value
    };
    ([$node:ty], $value:expr) => {
        $value.as_slice()
    };
    ($copied:tt, $value:expr) => {
        $value
    };
}

/// A message: its fields in the order they are written, each with whether it is needed, its name
/// here, its kind and its name on the wire.
macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident $builder:ident {
            $(
                $(#[$field_doc:meta])*
                $need:ident $field:ident: $kind:tt = $wire:literal,
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            $($field: kind!($kind),)*
            unknown: UnknownFields,
        }

        impl $name {
            /// The names on the wire, in the order they are written.
            pub const WIRE_NAMES: &'static [&'static str] = &[$($wire),*];

            /// A builder with nothing set.
            #[must_use]
            pub fn builder() -> $builder {
                $builder::default()
            }

            /// Reads JSON.
            ///
            /// # Errors
            ///
            /// [`MessageError`] with every field that is missing or wrong, and no value of any.
            pub fn from_json(json: &str) -> Result<Self, MessageError> {
                let mut faults = Faults::new();
                let message = Self::read_fields(fields::parse(json)?, &mut faults);
                faults.or(message)
            }

            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $field(&self) -> view!($kind) {
                    viewed!($kind, self.$field)
                }
            )*

            /// Fields this crate does not know; they are written again as they came.
            #[must_use]
            pub const fn unknown(&self) -> &UnknownFields {
                &self.unknown
            }

            fn read_fields(mut fields: RawFields, faults: &mut Faults) -> Option<Self> {
                $(let $field = fields.take($wire, Need::$need, faults);)*
                let unknown = fields.rest(faults);
                Some(Self {
                    $($field: $field?,)*
                    unknown,
                })
            }
        }

        impl WireValue for $name {
            fn absent() -> Option<Self> {
                None
            }

            fn is_empty(&self) -> bool {
                false
            }

            fn read(json: &str, name: &str, faults: &mut Faults) -> Option<Self> {
                match fields::parse(json) {
                    Ok(fields) => faults.within(name, |faults| Self::read_fields(fields, faults)),
                    Err(_) => {
                        faults.add(name, FieldFaultKind::Expected("a node"));
                        None
                    }
                }
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let known = Self::WIRE_NAMES.len();
                let unknown = self.unknown.raw();
                let mut map = serializer.serialize_map(Some(known + unknown.len()))?;
                $(map.serialize_entry($wire, &Wire(&self.$field))?;)*
                for (name, value) in unknown {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        impl WireValue for Vec<$name> {
            fn absent() -> Option<Self> {
                Some(Self::new())
            }

            fn is_empty(&self) -> bool {
                Self::is_empty(self)
            }

            fn read(json: &str, name: &str, faults: &mut Faults) -> Option<Self> {
                read_list(json, name, faults)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter().map(Wire))
            }
        }

        impl Serialize for $name {
            /// An error if the platform would not take it, being too long.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                fields::fits_written(&Wire(self), 0).map_err(ser::Error::custom)?;
                self.write(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// From JSON alone; [`from_json`](Self::from_json) gives the faults one by one.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut faults = Faults::new();
                let fields = RawFields::deserialize(deserializer)?;
                let message = Self::read_fields(fields, &mut faults);
                faults.or(message).map_err(de::Error::custom)
            }
        }

        impl fmt::Debug for $name {
            /// Shows nothing: nearly every field is personal data.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        #[doc = concat!("Collects the fields of [`", stringify!($name), "`]. The last setting of a field counts.")]
        #[derive(Clone, Default)]
        #[non_exhaustive]
        pub struct $builder {
            $($field: Option<kind!($kind)>,)*
        }

        impl $builder {
            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $field(mut self, value: impl Into<kind!($kind)>) -> Self {
                    self.$field = Some(value.into());
                    self
                }
            )*

            /// The message.
            ///
            /// # Errors
            ///
            /// [`MessageError::Fields`] with every field that is missing, or
            /// [`MessageError::TooLong`].
            pub fn build(self) -> Result<$name, MessageError> {
                let mut faults = Faults::new();
                $(
                    let value = self.$field.or_else(|| unset(Need::$need));
                    let $field = given(value, $wire, Need::$need, &mut faults);
                )*
                let message = || {
                    Some($name {
                        $($field: $field?,)*
                        unknown: UnknownFields::default(),
                    })
                };
                let message = faults.or(message())?;
                fields::fits_written(&Wire(&message), 0)?;
                Ok(message)
            }
        }

        impl fmt::Debug for $builder {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($builder)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use {kind, message, view, viewed};
