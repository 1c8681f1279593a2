//! Builds what a machine boots from: initrd and EROFS images.
