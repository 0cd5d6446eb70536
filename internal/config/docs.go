package config

import (
	"strconv"
	"strings"
)

// AppendMarkdown appends docs/config.md: every option of the schema, a section for
// each group.
func AppendMarkdown(dst []byte, s *Schema) []byte {
	dst = append(dst, "<!-- Generated from the options' declarations: do not edit. -->\n\n"+
		"# Options\n\n"+
		"Every option may stand in the configuration file (`name value`) and on the command line\n"+
		"(`--name value`). *Live* ones can be changed by `CONFIG SET`, *protected* ones only as\n"+
		"`enable-protected-configs` allows.\n"...)
	for _, g := range s.groups {
		dst = append(dst, "\n## "+strings.ToUpper(g.Name[:1])+g.Name[1:]+"\n"...)
		if g.Doc != "" {
			dst = append(dst, "\n"+strings.TrimSpace(g.Doc)+"\n"...)
		}
		for _, o := range g.options {
			if !o.Hidden {
				dst = o.appendMarkdown(dst)
			}
		}
	}
	return dst
}

func (o *option) appendMarkdown(dst []byte) []byte {
	dst = append(dst, "\n### "+o.Name+"\n\n"...)
	facts := []string{o.describeType(), "default " + o.describeDefault()}
	if len(o.Aliases) > 0 {
		facts = append(facts, "also called `"+strings.Join(o.Aliases, "`, `")+"`")
	}
	switch {
	case o.FileOnly:
		facts = append(facts, "in the file and on the command line only")
	case o.Protected && o.Live:
		facts = append(facts, "live, protected")
	case o.Live:
		facts = append(facts, "live")
	}
	dst = append(dst, strings.Join(facts, "; ")+".\n"...)
	if o.Doc != "" {
		dst = append(dst, "\n"+strings.TrimSpace(o.Doc)+"\n"...)
	}
	return dst
}

// describeType says what the values are, with bounds and choices.
func (o *option) describeType() string {
	name := strings.ToUpper(o.typeName[:1]) + o.typeName[1:]
	switch k := o.kind.(type) {
	case *numberKind:
		return name + k.describeBounds()
	case *enumKind:
		return name + ": `" + strings.Join(k.names, "`, `") + "`"
	default:
		return name
	}
}

func (k *numberKind) describeBounds() string {
	low := strings.Join(k.lines(value{n: k.min}), "")
	if k.hasMax() {
		return " from " + low + " to " + strings.Join(k.lines(value{n: k.max}), "")
	}
	return ", " + low + " or more"
}

func (o *option) describeDefault() string {
	text := string(o.kind.append(nil, o.initial))
	if k, ok := o.kind.(*numberKind); ok {
		text = strings.Join(k.lines(o.initial), "")
	}
	if text == "" {
		return "empty"
	}
	return "`" + text + "`"
}

// Stress returns texts that the option called name may be set to, besides its default:
// the numbers that its declaration gives, both of yes and no, or every choice.
func (s *Schema) Stress(name string) []string {
	e, ok := s.lookup(name)
	if !ok {
		return nil
	}
	var texts []string
	switch k := e.kind.(type) {
	case boolKind:
		texts = []string{"yes", "no"}
	case *enumKind:
		texts = append(texts, k.names...)
	case *numberKind:
		for _, v := range e.Option.Stress {
			if k.format == octalNumber {
				texts = append(texts, strconv.FormatInt(v, 8))
			} else {
				texts = append(texts, strconv.FormatInt(v, 10))
			}
		}
	}
	return texts
}
