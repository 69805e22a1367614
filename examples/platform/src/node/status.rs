//! What is withdrawn, as the consent authority last said and signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};
use mic_consent::{KeyId, Status, StatusRef};

use super::nation::lock;
use super::{Context, Role};
use crate::client::Client;
use crate::problem::Problem;
use crate::trust::Trust;
use crate::wire::{SignedDocument, StatusView};

/// How long a node goes by a view before it asks again. A withdrawal counts everywhere within this
/// time; a node that cannot ask refuses.
const VIEW_SECONDS_MAX: i64 = 5;

/// The views a node has, by list number.
#[derive(Debug)]
pub(crate) struct Withdrawn {
    authority: Client,
    views: Mutex<BTreeMap<u32, View>>,
}

#[derive(Debug)]
struct View {
    issued: DateTime<Utc>,
    withdrawn: BTreeSet<u32>,
}

impl Withdrawn {
    pub(crate) fn new(context: &Context) -> Result<Self, Problem> {
        Ok(Self {
            authority: Client::new(context.peer(Role::Authority)?, None),
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
        let list = place.list();
        let mut views = lock(&self.views)?;
        let fresh = views
            .get(&list)
            .is_some_and(|view| now - view.issued <= Duration::seconds(VIEW_SECONDS_MAX));
        if !fresh {
            views.insert(list, self.fetch(trust, issuer, list, now)?);
        }
        Ok(views
            .get(&list)
            .is_none_or(|view| view.withdrawn.contains(&place.index())))
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
        let issued = view.issued.to_utc();
        if view.list != list || (now - issued).abs() > Duration::seconds(60) {
            return Err(Problem::denied(
                "consent.status",
                "the authority's status view is of another list or another time",
            ));
        }
        Ok(View {
            issued,
            withdrawn: view.withdrawn.into_iter().collect(),
        })
    }
}
