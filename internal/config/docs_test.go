package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spineldb/spinel/internal/config"
)

func TestMarkdown(t *testing.T) {
	got := string(config.AppendMarkdown(nil, config.NewSchema(options)))
	for _, want := range []string{
		"\n## Test\n",
		"\n### maxmemory-samples\n\nInteger from 1 to 64; default `5`; live.\n\nHow many keys to look at.\n",
		"\n### maxmemory\n\nMemory size, 0 or more; default `100mb`; live.\n",
		"\n### unixsocketperm\n\nFile mode from 0 to 777; default `0`.\n",
		"\n### replica-priority\n\nInteger, 0 or more; default `100`; also called `slave-priority`; live.\n",
		"\n### maxmemory-policy\n\nChoice: `volatile-lru`, `allkeys-lru`, `noeviction`; " +
			"default `noeviction`; live.\n",
		"\n### dir\n\nText; default `.`; live, protected.\n",
		"\n### requirepass\n\nText; default empty; live.\n",
		"\n### rename-command\n\nText; default empty; in the file and on the command line only.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "debug-delay") {
		t.Error("a hidden option is documented")
	}
}

// Whatever Stress returns can be set.
func TestStress(t *testing.T) {
	schema := config.NewSchema(ownOptions, config.Kept, config.Refused)
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"maxmemory-samples", []string{"1", "64"}},
		{"activerehashing", []string{"yes", "no"}},
		{"maxmemory-policy", []string{"volatile-lru", "allkeys-lru", "noeviction"}},
		{"dir", nil},
		{"nothing", nil},
	} {
		got := schema.Stress(tt.name)
		if !slices.Equal(got, tt.want) {
			t.Errorf("Stress(%s) = %q, want %q", tt.name, got, tt.want)
		}
		for _, text := range got {
			if err := setAll(schema.NewSet(), tt.name, text); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestSensitive(t *testing.T) {
	schema := config.NewSchema(options)
	if !schema.IsSensitive("RequirePass") || schema.IsSensitive("dir") || schema.IsSensitive("nothing") {
		t.Error("requirepass alone is a secret")
	}
}
