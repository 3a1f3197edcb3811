-- trick: lo_import and lo_export
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

select lo_export(lo_from_bytea(0, pan::bytea), '/tmp/pangate-bypass-export') from cards where id = 1

select lo_import('/etc/hostname')
