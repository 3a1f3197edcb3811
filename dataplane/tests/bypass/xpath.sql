-- trick: text out of xml
-- expect: masked
-- unlabelled: masked
-- decode: digits

select xpath('/c/text()', xmlelement(name c, pan)) from cards
