-- trick: the text near an error
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

selekt 4111111111111111
