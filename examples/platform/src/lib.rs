//! The reference platform of the imaging cloud: its four roles as one program, and a scene that plays
//! them.
//!
//! It is what provincial integrators start from: real sockets, real stores, real DICOM files, the four
//! libraries put together in the one place where they meet. It is not a product to expose to a network
//! as it is; each role's page says which sign-in stands before its doors in earnest.
//!
//! | module | what it holds |
//! |---|---|
//! | [`node`] | the roles: hospital front-end machine, province, nation, consent authority |
//! | [`scene`] | the story from intake to bill, played through the nodes' doors |
//! | [`dicom`], [`picture`], [`phantom`] | headers as they come, PNG pictures, a made head CT |
//! | [`trust`], [`signature`], [`consent`] | keys, signed calls, the check before every list and study |
//! | [`wire`], [`client`], [`problem`] | what crosses the sockets, and how faults are told |
//!
//! Run it with `mic demo`, or one role with `mic node ROLE`.

pub mod client;
pub mod consent;
pub mod dicom;
pub mod node;
pub mod phantom;
pub mod picture;
pub mod problem;
pub mod scene;
pub mod signature;
pub mod time;
pub mod trust;
pub mod wire;
