package debugcmd

import "github.com/spineldb/spinel/internal/command"

func (d Deps) replicate(c *command.Ctx) error {
	d.Replicate(c.Args[2:])
	c.Out.OK()
	return nil
}

func (d Deps) changeReplID(c *command.Ctx) error {
	d.ChangeReplID()
	c.Out.OK()
	return nil
}
