//! One list of cases over every adapter: what a line is made of must not be seen in what it brings
//! (XFR-100 to XFR-104, XFR-110 to XFR-112).

#![cfg(feature = "std")]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod carriers;
mod cases;
mod data;
#[cfg(feature = "http")]
mod plain;
mod relay;
#[cfg(feature = "http")]
mod reverse;
#[cfg(feature = "tls")]
mod site;
#[cfg(feature = "tls")]
mod strangers;

/// Every case, over one carrier.
macro_rules! cases {
    ($carrier:expr; $($case:ident)*) => {$(
        #[test]
        fn $case() {
            crate::cases::$case($carrier);
        }
    )*};
}

/// A module of tests for each carrier.
macro_rules! carriers {
    ($($(#[$cfg:meta])* $name:ident: $carrier:expr;)*) => {$(
        $(#[$cfg])*
        mod $name {
            use crate::carriers::Carrier;

            cases! { $carrier;
                ok_a_whole_study_arrives_and_a_second_pull_moves_nothing
                ok_several_connections_share_one_queue
                ok_a_line_that_is_cut_is_made_again
                ok_a_source_killed_in_the_middle_is_replaced_by_another
                ok_a_source_lost_in_the_middle_leaves_the_rest_to_the_other
                ok_a_byte_damaged_on_the_line_is_asked_for_again
                err_a_wrong_byte_is_never_kept
                err_a_source_that_lies_is_left_for_the_other
                err_refusals_reach_the_receiver_with_their_reason
                ok_the_first_image_comes_first
                ok_a_click_goes_before_the_rest
                ok_what_was_cancelled_is_resumed
                ok_a_pause_stops_and_a_resume_goes_on
                ok_coded_chunks_are_carried
                ok_many_small_instances_arrive
                ok_an_empty_file_is_refused_and_one_byte_is_carried
                ok_two_studies_share_a_line
                ok_held_instances_are_not_sent
                ok_held_pixels_are_not_sent
                ok_the_receipt_is_countersigned
                ok_the_peer_is_told_to_the_authorizer
            }
        }
    )*};
}

carriers! {
    tcp: Carrier::Tcp;
    #[cfg(feature = "tls")]
    tls: Carrier::Tls;
    #[cfg(feature = "tls")]
    tls_pinned: Carrier::TlsPinned;
    #[cfg(feature = "tokio")]
    tokio_tcp: Carrier::TokioTcp;
    #[cfg(feature = "tokio-tls")]
    tokio_tls: Carrier::TokioTls;
    #[cfg(feature = "http")]
    http1: Carrier::Http1;
    #[cfg(feature = "http")]
    http2: Carrier::Http2;
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    https1: Carrier::Https1;
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    https2: Carrier::Https2;
    #[cfg(feature = "http")]
    http1_proxied: Carrier::Http1Proxied;
    #[cfg(all(feature = "http", feature = "tokio-tls"))]
    https2_proxied: Carrier::Https2Proxied;
    #[cfg(feature = "quic")]
    quic: Carrier::Quic;
}
