//! The province: keeps the images, tells the nation about them, and serves them against consent.
//!
//! | door | who | what |
//! |---|---|---|
//! | `POST /v1/instances/known` | a hospital's archive | what became of files offered before |
//! | `POST /v1/instances` | a hospital's archive, signed | one DICOM file in; one outcome |
//! | `POST /v1/seal` | a hospital's archive, signed | seals studies, indexes them, reports the visit |
//! | transfer door | a front-end machine, grant and proof | studies, chunk by chunk |

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use mic_index::StorageUnitCode;

use self::store::Store;
use super::nation::lock;
use super::server::HasContext;
use super::{Context, Role};
use crate::client::Client;
use crate::consent;
use crate::problem::Problem;
use crate::wire::Doors;

mod intake;
mod seal;
mod serve;
mod store;

/// The province's state.
#[derive(Debug)]
pub(super) struct Province {
    context: Arc<Context>,
    store: Mutex<Store>,
    files: PathBuf,
    nation: Client,
    consent: consent::Desk,
    pseudonym_key: [u8; 32],
    storage_unit: StorageUnitCode,
}

impl HasContext for Province {
    fn context(&self) -> &Context {
        &self.context
    }
}

/// Opens the province's doors; the transfer door's address is returned beside the router.
pub(super) fn open(context: &Arc<Context>) -> Result<(Router, SocketAddr), Problem> {
    let state = &context.options.state;
    let store = Store::open(state)?;
    let province = Arc::new(Province {
        files: store.files().to_path_buf(),
        store: Mutex::new(store),
        nation: Client::new(
            context.peer(Role::Nation)?,
            Some(context.trust.key().clone()),
        ),
        consent: consent::Desk::new(context, Role::Province)?,
        pseudonym_key: seal::pseudonym_key(state)?,
        storage_unit: context.options.storage_unit.ok_or_else(|| {
            Problem::usage(
                "node.storage_unit",
                "a province needs --storage-unit CODE (统一社会信用代码)",
            )
        })?,
        context: Arc::clone(context),
    });
    let transfer = serve::open(&province, context.options.listen_transfer)?;
    province.nation.post::<()>(
        "/v1/doors",
        &Doors {
            transfer: transfer.to_string(),
        },
    )?;
    let router = Router::new()
        .route("/v1/instances/known", post(intake::known))
        .route("/v1/instances", post(intake::take))
        .route("/v1/seal", post(seal::seal))
        .with_state(province);
    Ok((router, transfer))
}
