package config_test

import (
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

// What is not there yet can only be set to what means that it is not wanted.
func TestRefused(t *testing.T) {
	const failed = "CONFIG SET failed (possibly related to argument '"
	set := config.NewSchema(config.Kept, config.Refused).NewSet()
	for _, tt := range []struct{ name, value, want string }{
		{"tls-port", "0", ""},
		{"tls-port", "1", failed + "tls-port') - tls-port other than 0 is not supported yet by this version"},
		{"tls-cert-file", "", ""},
		{"tls-cert-file", "a", failed + "tls-cert-file') - tls-cert-file a is not supported yet by this version"},
		{"tls-key-file-pass", "secret",
			failed + "tls-key-file-pass') - tls-key-file-pass is not supported yet by this version"},
		{"cluster-enabled", "yes", failed + "cluster-enabled') - can't set immutable config"},
		{"user", "a", "Unknown option or number of arguments for CONFIG SET - 'user'"},
	} {
		got := ""
		if err := setAll(set, tt.name, tt.value); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("CONFIG SET %s %q: %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}
