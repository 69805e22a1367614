//! Misuse that must not compile, on any compiler: the files of `tests/compile_fail` as doc tests.

macro_rules! refused {
    ($folder:literal: $($name:ident)*) => {
        $(
            #[doc = concat!("```compile_fail\n", include_str!(concat!("../tests/compile_fail/", $folder, stringify!($name), ".rs")), "\n```")]
            mod $name {}
        )*
    };
}

refused! { "":
    claims_before_signature
    claims_of_encoded
    grant_is_not_deserialised
    live_used_after_signed
    permit_before_live
    permit_is_not_cloned
    permit_outlives_grant
    policy_has_no_default
}

// Their messages list private fields or implementors, which change: they are not compared, see `tests/compile_fail.rs`.
refused! { "listed/":
    foreign_token_kind
    permit_is_not_built
}
