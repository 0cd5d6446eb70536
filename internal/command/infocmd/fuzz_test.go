package infocmd_test

import (
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/command/infocmd"
	"github.com/spineldb/spinel/internal/config"
)

// FuzzPercentiles sets the option to any text. What is taken is shown in a form that is
// taken again and means the same, and one that a file can hold.
func FuzzPercentiles(f *testing.F) {
	for _, text := range []string{"50 99 99.9", "", "0x1p3", "1e-9 100", "nan", "-0", "50  99", "100.0000001"} {
		f.Add(text)
	}
	const name = "latency-tracking-info-percentiles"
	f.Fuzz(func(t *testing.T, text string) {
		set := config.NewSchema(infocmd.Options).NewSet()
		if set.ConfigSet([][]byte{[]byte(name), []byte(text)}, false) != nil {
			return
		}
		shown, _ := set.Text(name)
		if strings.Trim(shown, "0123456789. ") != "" {
			t.Fatalf("%q is shown as %q", text, shown)
		}
		if err := set.ConfigSet([][]byte{[]byte(name), []byte(shown)}, false); err != nil {
			t.Fatalf("%q is shown as %q, which is refused: %v", text, shown, err)
		}
		if again, _ := set.Text(name); again != shown {
			t.Fatalf("%q is shown as %q, and that as %q", text, shown, again)
		}
	})
}
