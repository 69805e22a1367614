//! Which types cross threads.

const fn is_send_sync<T: Send + Sync + 'static>() {}
const fn is_error<T: core::error::Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn ok_all_public_types_are_send_and_sync() {
    is_send_sync::<mic_transfer::Manifest>();
    is_send_sync::<mic_transfer::SignedManifest>();
    is_send_sync::<mic_transfer::receiver::Receiver>();
    is_send_sync::<mic_transfer::sender::Sender>();
    is_send_sync::<mic_transfer::store::Store<mic_transfer::storage::MemoryStorage>>();
    is_send_sync::<mic_transfer::wire::Frame>();
    #[cfg(feature = "std")]
    {
        is_send_sync::<mic_transfer::adapter::disk::DiskStore>();
        is_send_sync::<mic_transfer::adapter::disk::InstanceReader>();
        is_send_sync::<mic_transfer::adapter::files::FileSource>();
        is_send_sync::<mic_transfer::adapter::tcp::PullControl>();
        is_error::<mic_transfer::adapter::tcp::PullError>();
        is_error::<mic_transfer::adapter::files::FileError>();
    }
}

#[test]
fn ok_all_errors_are_comparable_and_cross_threads() {
    is_error::<mic_transfer::UidError>();
    is_error::<mic_transfer::DigestError>();
    is_error::<mic_transfer::AuthError>();
    is_error::<mic_transfer::SignatureError>();
    is_error::<mic_transfer::SignFailed>();
    is_error::<mic_transfer::SignatureRefused>();
    is_error::<mic_transfer::InstanceError>();
    is_error::<mic_transfer::ManifestError>();
    is_error::<mic_transfer::ManifestFault>();
    is_error::<mic_transfer::ReceiptFault>();
    is_error::<mic_transfer::SessionError>();
    is_error::<mic_transfer::storage::StorageError>();
    is_error::<mic_transfer::tree::LeavesError>();
    is_error::<mic_transfer::wire::FrameFault>();
    is_error::<mic_transfer::source::Unreadable>();
}
