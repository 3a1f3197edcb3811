//! `dev-ca`: an authority and a server certificate for 127.0.0.1, ::1, localhost and names of one's own: for demo and
//! tests, where nobody hands out certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::secret_file;

/// The authority's certificate: what clients trust.
pub const CA_FILE: &str = "ca.pem";
/// The authority's key.
pub const CA_KEY_FILE: &str = "ca.key";
/// The server's certificate.
pub const SERVER_FILE: &str = "server.pem";
/// The server's key.
pub const SERVER_KEY_FILE: &str = "server.key";

const DAY: Duration = Duration::from_secs(86_400);
/// Certificates are valid so long.
const VALID: Duration = Duration::from_secs(397 * 86_400);

/// Why no certificates were made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be written, or is there already.
    #[error("{path}: {cause}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A name that no certificate can carry, or no random numbers.
    #[error("certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// Makes the four files in `dir`, which is made if absent.
pub fn generate(dir: &Path, names: &[String]) -> Result<(), CertificateError> {
    let ca_key = KeyPair::generate()?;
    let mut ca_params = valid(CertificateParams::default());
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca_params.distinguished_name.push(DnType::CommonName, "pangate development CA");
    let ca = ca_params.self_signed(&ca_key)?;

    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
    let server_key = KeyPair::generate()?;
    let mut params = valid(CertificateParams::new(all)?);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name.push(DnType::CommonName, "pangate development server");
    let server = params.signed_by(&server_key, &Issuer::from_params(&ca_params, &ca_key))?;

    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| CertificateError::Write { path, cause }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    for (file, text, secret) in [
        (CA_KEY_FILE, ca_key.serialize_pem(), true),
        (SERVER_KEY_FILE, server_key.serialize_pem(), true),
        (CA_FILE, ca.pem(), false),
        (SERVER_FILE, server.pem(), false),
    ] {
        let path = dir.join(file);
        let create = if secret { secret_file::create } else { secret_file::create_public };
        create(&path, &text).map_err(failed(&path))?;
    }
    Ok(())
}

/// From yesterday, for clocks that are behind, to [`VALID`] from now.
fn valid(mut params: CertificateParams) -> CertificateParams {
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        generate(dir.path(), &["gate.test".to_owned()]).unwrap();
        let before = std::fs::read(dir.path().join(CA_FILE)).unwrap();
        assert!(matches!(generate(dir.path(), &[]), Err(CertificateError::Write { .. })));
        assert_eq!(std::fs::read(dir.path().join(CA_FILE)).unwrap(), before);
    }

    #[test]
    fn a_name_that_no_certificate_can_carry_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(generate(dir.path(), &["ü".to_owned()]), Err(CertificateError::Make(_))));
    }
}
