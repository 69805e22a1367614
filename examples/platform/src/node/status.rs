//! What is withdrawn, as the consent authority last said and signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mic_consent::{KeyId, Status, StatusRef};

use super::nation::lock;
use super::{Context, Role};
use crate::client::Client;
use crate::problem::Problem;
use crate::trust::Trust;
use crate::wire::{SignedDocument, StatusView};

/// How long a node goes by a view before it asks again, counted from when it came. A withdrawal counts
/// everywhere within this time; a node that cannot ask refuses.
const VIEW_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the authority may take to answer.
const ASK_TIME_MAX: Duration = Duration::from_secs(3);
/// How far the authority's clock may be from this node's.
const CLOCKS_APART_SECONDS_MAX: i64 = 60;

/// The views a node has, by issuing key and list number.
#[derive(Debug)]
pub(crate) struct Withdrawn {
    authority: Client,
    views: Mutex<BTreeMap<(KeyId, u32), View>>,
}

#[derive(Debug)]
struct View {
    came: Instant,
    withdrawn: BTreeSet<u32>,
}

impl Withdrawn {
    pub(crate) fn new(context: &Context) -> Result<Self, Problem> {
        Ok(Self {
            authority: Client::new(context.peer(Role::Authority)?, None).within(ASK_TIME_MAX),
            views: Mutex::default(),
        })
    }

    /// The state of the grant at this place, by a view that is fresh at `now`; unknown without one.
    pub(crate) fn status(
        &self,
        trust: &Trust,
        issuer: &KeyId,
        place: StatusRef,
        now: DateTime<Utc>,
    ) -> Status {
        match self.is_withdrawn(trust, issuer, place, now) {
            Ok(true) => Status::Withdrawn,
            Ok(false) => Status::Valid,
            Err(_) => Status::Unknown,
        }
    }

    fn is_withdrawn(
        &self,
        trust: &Trust,
        issuer: &KeyId,
        place: StatusRef,
        now: DateTime<Utc>,
    ) -> Result<bool, Problem> {
        let of = (*issuer, place.list());
        let fresh = |view: &View| view.came.elapsed() <= VIEW_TIME_MAX;
        if let Some(view) = lock(&self.views)?.get(&of).filter(|view| fresh(view)) {
            return Ok(view.withdrawn.contains(&place.index()));
        }
        // Not under the lock: an authority that is slow to answer holds up nobody else.
        let view = self.fetch(trust, issuer, place.list(), now)?;
        let withdrawn = view.withdrawn.contains(&place.index());
        lock(&self.views)?.insert(of, view);
        Ok(withdrawn)
    }

    /// Fetches a view; only the authority whose key issued the grant may speak of it.
    fn fetch(
        &self,
        trust: &Trust,
        issuer: &KeyId,
        list: u32,
        now: DateTime<Utc>,
    ) -> Result<View, Problem> {
        let document: SignedDocument = self.authority.get(&format!("/v1/status/{list}"))?;
        if document.key != issuer.to_string() {
            return Err(Problem::denied(
                "consent.status",
                "the status view is not of the key that issued the grant",
            ));
        }
        let view: StatusView = document.open(trust, Role::Authority)?;
        let apart = (now - view.issued.to_utc()).num_seconds().abs();
        if view.list != list || apart > CLOCKS_APART_SECONDS_MAX {
            return Err(Problem::denied(
                "consent.status",
                "the authority's status view is of another list or another time",
            ));
        }
        Ok(View {
            came: Instant::now(),
            withdrawn: view.withdrawn.into_iter().collect(),
        })
    }
}
