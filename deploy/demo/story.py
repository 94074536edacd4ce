"""What happens in the demo, act by act, and what must be so at the end of each."""

import hashlib
import json
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator

import screen
from network import settled, statuses, territory
from waiting import wait_until

KINDS = ('actor', 'project', 'event')
# Where each file is imported: the actors first, since the others name them.
IMPORTS = (
    ('acteurs-reseau.csv', 'lyon'),
    ('collectivites-ara.csv', 'clermont'),
    ('projets-reseau.csv', 'lyon'),
    ('evenements-2021.csv', 'clermont'),
)
# Numbers that the French plan sets aside for fiction.
PHONE_SAVOIE = '+33 4 65 71 00 73'
PHONE_LYON = '+33 4 65 71 00 69'


class Story:
    def __init__(self, network, data: Path, quick: bool) -> None:
        self._network = network
        self._data = data
        self._files = [(file, site) for file, site in IMPORTS if not quick or file != 'collectivites-ara.csv']
        self._checks: list[tuple[str, bool]] = []
        self._durations: list[tuple[str, float]] = []
        # When all nine were found to be settled, after everything that was written.
        self._whole_since = ''

    def play(self) -> None:
        started = time.monotonic()
        self._open_the_network()
        self._import_files()
        self._find_the_records()
        self._cut_savoie_off()
        self._work_apart()
        self._kill_isere()
        self._savoie_comes_back()
        self._show_what_became_of_it()
        self._show_the_proof()
        self._show_the_traffic()
        self._durations.append(('en tout', time.monotonic() - started))
        self._show_the_durations()

    def failed(self, why: str) -> None:
        self._check(why, False)

    def verdict(self) -> bool:
        wrong = [text for text, held in self._checks if not held]
        screen.heading('Verdict')
        for text in wrong:
            screen.wrong(text)
        if not wrong:
            screen.fine(f'Les {len(self._checks)} vérifications ont tenu : neuf sites, chacun tout son territoire.')
        return not wrong

    # Acts.

    def _open_the_network(self) -> None:
        screen.heading('1. Lyon fonde le réseau, huit machines le rejoignent')
        screen.aside('Deux antennes, qui tiennent tout ; sept relais, chacun son département et ce qui est de la région '
                     'entière. Chacun son processus, son disque, sa clé et son certificat ; chacun est entré avec un code '
                     'qui a servi une fois.')
        with self._timed('fondation, huit invitations, ouverture'):
            self._network.start()
            self._network.wait_settled()
        self._check('les neuf sites se connaissent', True)
        self._show_the_members()

    def _show_the_members(self) -> None:
        members = self._network['savoie'].ask('members')['members']
        roles = {'antenna': 'antenne', 'relay': 'relais'}
        screen.table(('site', 'rôle', 'territoire', 'identifiant'),
                     [(member['site'], roles[member['role']], member['territory'], member['site_id'])
                      for member in members])
        self._check('la Savoie connaît les neuf membres, deux antennes et sept relais',
                    sorted(member['role'] for member in members) == ['antenna'] * 2 + ['relay'] * 7)

    def _import_files(self) -> None:
        screen.heading('2. Quatre fichiers, tels quels, importés dans les antennes')
        for file, site in self._files:
            lines = len((self._data / file).read_text(encoding='utf-8').splitlines()) - 1
            node = self._network[site]
            with self._timed(f'import de {file} à {node.label}') as import_time:
                result = node.ask('import', str(self._data / file), person='Camille')[0]
            with self._timed('   … et partout') as everywhere:
                self._network.wait_settled()
            entered = result['created'] + result['updated'] + result['unchanged'] + result['duplicates']
            self._check(f'{file} : {screen.number(entered)} lignes sur {screen.number(lines)} entrées par {node.label} '
                        f'en {screen.seconds(import_time())}, chez les neuf sites {screen.seconds(everywhere())} après',
                        entered == lines)
            noted = result['report']['counts']
            screen.aside(f'  valeurs comprises par une règle : {screen.number(noted["understood"])}, réparées : '
                         f'{screen.number(noted["repaired"])}, laissées en texte : {screen.number(noted["left_as_text"])}')
        counts = self._counts('clermont')
        self._check('49 événements et 12 projets, vus de Clermont', (counts['event'], counts['project']) == (49, 12))
        self._import_again()
        self._import_at_a_relay()

    def _import_again(self) -> None:
        before = self._network['lyon'].status()['root']
        with self._timed('les mêmes fichiers une seconde fois, dans l’autre antenne'):
            for file, site in self._files:
                other = self._network['lyon' if site == 'clermont' else 'clermont']
                again = other.ask('import', str(self._data / file), person='Léa')[0]
                self._check(f'{file} : rien de créé ni de modifié', again['created'] == again['updated'] == 0)
        self._check('importer de nouveau les mêmes fichiers, ailleurs, ne change rien',
                    self._network['lyon'].status()['root'] == before)

    def _import_at_a_relay(self) -> None:
        refused = self._network.folder / 'refusées-savoie.csv'
        said = self._network['savoie'].run('import', str(self._data / 'acteurs-reseau.csv'), '--refused', str(refused),
                                           '--output', 'json', person='Awa', codes=(0, 1, 2))
        result = json.loads(said)[0]
        self._check(f'la Savoie reprend du même fichier ses {result["unchanged"]} fiches, inchangées, et laisse les '
                    f'{result["refused"]} des autres départements à une antenne',
                    result['created'] == 0 and result['unchanged'] > 0 and result['refused'] > 0)

    def _find_the_records(self) -> None:
        self._pss = self._find('actor', 'acronym = "PSS"')
        self._project = self._find('project', 'acronym = "FVR"')
        self._event = self._find('event', 'title = "Webinaire Appel à projets AERMC"')
        self._grenoble = self._find('actor', 'name = "Maison de l’international de Grenoble"')
        # Ids are for machines: a screen says what people call the record.
        self._called = {self._pss: '«PSS»', self._project: '«Frame, Voice, Report !»',
                        self._event: '«Webinaire Appel à projets AERMC»'}

    def _cut_savoie_off(self) -> None:
        screen.heading('3. La Savoie est coupée du réseau')
        savoie = self._network['savoie']
        self._mali = savoie.ask('create', 'actor', 'name=Amis du Mali', 'department=73', person='Awa')['id']
        self._called[self._mali] = '«Amis du Mali»'
        screen.say(f'{"Awa":8} {savoie.label:15} create actor name="Amis du Mali" department=73')
        self._network.wait_settled()
        for antenna in ('lyon', 'clermont'):
            savoie.run('pause', self._network[antenna].address)
        for antenna in ('lyon', 'clermont'):
            state = wait_until(f'{antenna} voit la Savoie hors ligne', lambda: self._peer_state(antenna, 'savoie'),
                               lambda state: state in ('OFFLINE', 'PAUSED'), limit=30)
            self._check(f'{self._network[antenna].label} le voit : Savoie {_STATES[state]}', True)

    def _work_apart(self) -> None:
        screen.heading('4. On continue à travailler, chacun de son côté')
        savoie, lyon = self._network['savoie'], self._network['lyon']
        edits = (
            (savoie, 'Awa', ('edit', 'actor', self._pss, f'phone_numbers+={PHONE_SAVOIE}')),
            (lyon, 'Camille', ('edit', 'actor', self._pss, f'phone_numbers+={PHONE_LYON}')),
            (savoie, 'Awa', ('edit', 'actor', self._pss, 'description=Relais de la Savoie, à Chambéry')),
            (lyon, 'Camille', ('edit', 'actor', self._pss, 'description=Relais et RDJSI pour la Savoie')),
            (savoie, 'Awa', ('edit', 'actor', self._pss, 'websites+=https://www.paysdesavoie.org')),
            (lyon, 'Camille', ('edit', 'actor', self._pss, 'legal_status=association loi 1901')),
            (savoie, 'Awa', ('edit', 'actor', self._mali, 'description=Jumelage avec Kayes, écrit hors ligne')),
            (lyon, 'Camille', ('edit', 'actor', self._mali, 'department=38')),
            (savoie, 'Awa', ('edit', 'project', self._project, 'sdgs+=16')),
            (lyon, 'Camille', ('edit', 'project', self._project, 'sdgs+=4')),
            (lyon, 'Camille', ('delete', 'event', self._event)),
            (savoie, 'Awa', ('edit', 'event', self._event, 'participants=120')),
        )
        for node, person, command in edits:
            node.run(*command, person=person)
            screen.say(f'{person:8} {node.label:15} {" ".join(self._called.get(word, word) for word in command)}')
        self._togo = savoie.ask('create', 'actor', 'name=Amis du Togo', 'department=73', person='Awa')['id']
        screen.say(f'{"Awa":8} {savoie.label:15} create actor name="Amis du Togo" department=73')
        screen.aside('«Amis du Mali» a déménagé à Grenoble : Camille le note, et la Savoie n’en sait rien.')

    def _kill_isere(self) -> None:
        screen.heading('5. Une panne de courant en Isère')
        isere = self._network['isere']
        isere.run('edit', 'actor', self._grenoble, 'websites+=https://www.grenoble.fr', person='Noé')
        isere.kill()
        screen.say('Noé      Isère           enregistre un site web ; la machine s’éteint dans l’instant (SIGKILL)')
        isere.start()
        isere.wait_ready()
        self._check('ce qui était enregistré l’est encore au redémarrage',
                    'https://www.grenoble.fr' in self._content('isere', 'actor', self._grenoble).get('websites', []))
        with self._timed('les huit autres sites d’accord, Isère redémarrée') as took:
            self._network.wait_settled(without=('savoie',))
        screen.fine(f'huit sites d’accord {screen.seconds(took())} plus tard ; la Savoie est toujours coupée')
        by_site = statuses(list(self._network.nodes.values()))
        self._check('la Savoie, elle, en est encore à sa propre version',
                    'savoie' not in settled(by_site, self._network.scopes(), 'lyon'))

    def _savoie_comes_back(self) -> None:
        screen.heading('6. La Savoie revient')
        savoie = self._network['savoie']
        with self._timed('retour de la Savoie, jusqu’à l’accord des neuf') as took:
            for antenna in ('lyon', 'clermont'):
                savoie.run('resume', self._network[antenna].address)
            self._network.wait_settled()
        screen.fine(f'les neuf sites tiennent leur territoire {screen.seconds(took())} après')
        self._whole_since = datetime.now(timezone.utc).isoformat()
        # A link counts from its opening, so that these are the bytes of the reunion alone.
        traffic = _traffic(savoie.status())
        screen.say(f'La Savoie a envoyé {screen.size(traffic["bytes_sent"])} et reçu '
                   f'{screen.size(traffic["bytes_received"])}, pour une base de '
                   f'{screen.number(sum(self._counts("savoie").values()))} fiches.')

    def _show_what_became_of_it(self) -> None:
        screen.heading('7. Rien n’est perdu')
        self._show_the_phone_numbers()
        antennas, holders = ('lyon', 'clermont'), ('lyon', 'clermont', 'savoie')
        self._check('les deux autres champs modifiés à part sont là tous les deux, sans question à personne', all(
            (actor.get('websites'), actor.get('legal_status')) ==
            (['https://www.paysdesavoie.org'], 'association loi 1901')
            for actor in (self._content(site, 'actor', self._pss) for site in holders)))
        self._check('le projet, de la région entière, a les deux ODD, 4 et 16, chez les neuf', all(
            {'4', '16'} <= set(self._content(site, 'project', self._project).get('sdgs', []))
            for site in self._network.nodes))
        self._check('l’acteur créé hors ligne est en Savoie et dans les antennes', all(
            self._content(site, 'actor', self._togo).get('name') == 'Amis du Togo' for site in holders))
        self._show_the_move(antennas)
        self._show_the_references()
        self._show_the_conflicts()

    def _show_the_move(self, antennas) -> None:
        screen.say('')
        screen.say('«Amis du Mali» est passé de la Savoie à l’Isère pendant que la Savoie, hors ligne, l’écrivait :')
        self._check('ce qu’Awa a écrit hors ligne est en Isère et dans les antennes', all(
            self._content(site, 'actor', self._mali).get('description') == 'Jumelage avec Kayes, écrit hors ligne'
            for site in (*antennas, 'isere')))
        screen.quote(self._network['savoie'].run('explain', 'actor', self._mali))
        told = self._network['savoie'].ask('explain', 'actor', self._mali)
        self._check('la Savoie sait où la fiche est partie, quand, et qui l’a reprise',
                    told['presence'] == 'HANDED_OVER' and 'a quitté ce site le' in told['why'])
        self._check('les autres relais n’en ont jamais rien tenu', all(
            self._network[site].ask('explain', 'actor', self._mali)['presence'] == 'UNKNOWN'
            for site in ('allier', 'loire', 'haute-savoie', 'ardeche', 'drome')))

    def _show_the_references(self) -> None:
        project = self._find('project', 'acronym = "RECITAL"')
        cited = self._network['savoie'].ask('get', 'project', project).get('references', [])
        rows = sorted((each.get('title', ''), '|'.join(each.get('territories', [])), _PRESENCES[each['presence']])
                      for each in cited)
        screen.say('')
        screen.say('Ce que cite le projet «RECITAL», lu en Savoie :')
        screen.table(('acteur', 'département', ''), rows)
        self._check('la Savoie lit le nom de tout acteur que ses projets citent, qu’elle le tienne ou non',
                    len({row[2] for row in rows}) == 2 and all(row[0] for row in rows))

    def _show_the_phone_numbers(self) -> None:
        node = self._network['clermont']
        numbers = self._content('clermont', 'actor', self._pss).get('phone_numbers', [])
        rows = [(field['value'], change['person'], self._label(change['site']), _time(change['time']))
                for change in node.ask('history', 'actor', self._pss)
                for field in change['fields'] if field['field'] == 'phone_numbers']
        screen.say('Pays de Savoie Solidaires, les deux téléphones, lus à Clermont :')
        screen.table(('téléphone', 'qui', 'où', 'quand (UTC)'), sorted(rows))
        self._check('les deux téléphones sont gardés, avec qui et où',
                    set(numbers) == {PHONE_LYON, PHONE_SAVOIE} and
                    {row[:3] for row in rows} == {(PHONE_LYON, 'Camille', self._label('lyon')),
                                                  (PHONE_SAVOIE, 'Awa', self._label('savoie'))})

    def _show_the_conflicts(self) -> None:
        screen.say('')
        screen.say('Ce qui attend une personne, vu de Clermont (maillage conflicts) :')
        found = {}
        rows = []
        for conflict in self._network['clermont'].ask('conflicts'):
            for field in conflict['fields']:
                found[conflict['id'], field['field']] = field['versions']
                rows += [(conflict['title'], field['field'], version['text'], version['person'],
                          self._label(version['site']), _time(version['time'])) for version in field['versions']]
        screen.table(('fiche', 'champ', 'version', 'qui', 'où', 'quand (UTC)'), rows)
        described = {(version['person'], version['site']) for version in found.get((self._pss, 'description'), [])}
        self._check('les deux descriptions sont côte à côte, avec qui et où',
                    described == {('Awa', 'savoie'), ('Camille', 'lyon')})
        self._check('la suppression qui a croisé une correction attend une décision, l’événement reste lisible',
                    (self._event, 'deleted') in found and
                    self._content('clermont', 'event', self._event).get('participants') == 120)

    def _show_the_proof(self) -> None:
        screen.heading('8. La preuve')
        self._network.wait_settled()
        by_site = statuses(list(self._network.nodes.values()))
        rows, digests = [], {}
        for name, node in self._network.nodes.items():
            exports = ''.join(node.run('export', kind, '--format', 'jsonl') for kind in KINDS)
            digests[name] = (hashlib.sha256(exports.encode()).hexdigest(), exports)
            counts = self._counts(name)
            held = territory(by_site[name], node.scope)
            here, at_lyon = (_digest(territory(by_site[site], node.scope)) for site in (name, 'lyon'))
            rows.append((node.label, node.scope or 'tout', *(screen.number(counts[kind]) for kind in KINDS),
                         str(len(held)), here, '=' if here == at_lyon else '≠'))
        screen.table(('site', 'tient', 'acteurs', 'projets', 'événements', 'territoires', 'racines', 'Lyon'), rows,
                     right=(2, 3, 4, 5))
        self._check('chaque racine de chaque territoire est celle des deux antennes, et aucun site n’en tient d’autre',
                    len(settled(by_site, self._network.scopes(), 'lyon')) ==
                    len(settled(by_site, self._network.scopes(), 'clermont')) == len(self._network.nodes))
        self._check('les deux antennes s’exportent pareil, octet pour octet',
                    digests['lyon'][0] == digests['clermont'][0] and len(digests['lyon'][1]) > 0)
        everything = set(digests['lyon'][1].splitlines())
        self._check('chaque ligne qu’un relais exporte est, octet pour octet, celle des antennes',
                    all(set(exports.splitlines()) <= everything for _, exports in digests.values()))
        self._show_what_all_know()

    def _show_what_all_know(self) -> None:
        """Each tells all others, signed, what it has of theirs; the last word on the last change takes some rounds."""
        with self._timed('chaque site sait que tout est partout, depuis la fin des exports'):
            for node in self._network.nodes.values():
                wait_until(f'{node.label} sait que tout est partout', node.status,
                           lambda status: status.get('everywhere_time', '') > self._whole_since, limit=120)
        status = self._network['ardeche'].status()
        screen.say('')
        screen.say('Tout le réseau, vu d’Ardèche, qui n’en rencontre que deux sites (maillage status) :')
        screen.table(('site', 'état', 'a tout jusqu’à (UTC)', 'fiches'), [
            (self._label(site['site']), site['text'], _time(site.get('complete_time', '')),
             screen.number(sum(int(kind['records']) for kind in site['kinds']))) for site in status['fleet']], right=(3,))
        self._check('chaque site sait de chacun, sur sa signature, qu’il a tout ce qui le concerne',
                    len(status['fleet']) == len(self._network.nodes))

    def _show_the_traffic(self) -> None:
        screen.heading('Ce qui a circulé sur chaque liaison, depuis qu’elle est ouverte')
        rows = []
        for node in self._network.nodes.values():
            for peer in node.status().get('peers', []):
                if peer.get('address'):
                    rows.append((node.label, '→', self._label(peer.get('site', '')),
                                 *(screen.number(int(peer.get(key, 0)))
                                   for key in ('changes_sent', 'changes_received', 'frames_sent', 'frames_received')),
                                 *(screen.size(int(peer.get(key, 0))) for key in ('bytes_sent', 'bytes_received'))))
        screen.table(('site', '', 'pair', 'modifications ↑', '↓', 'trames ↑', '↓', 'octets ↑', '↓'), rows,
                     right=(3, 4, 5, 6, 7, 8))

    def _show_the_durations(self) -> None:
        screen.heading('Combien de temps')
        screen.table(('étape', 'durée'), [(what, screen.seconds(duration)) for what, duration in self._durations],
                     right=(1,))

    # Small things.

    def _check(self, text: str, held: bool) -> None:
        self._checks.append((text, held))
        (screen.fine if held else screen.wrong)(text)

    @contextmanager
    def _timed(self, what: str) -> Iterator:
        started = time.monotonic()
        duration = []
        yield lambda: duration[0]
        duration.append(time.monotonic() - started)
        self._durations.append((what, duration[0]))

    def _label(self, site: str) -> str:
        return self._network[site].label if site in self._network.nodes else site

    def _find(self, kind: str, query: str) -> str:
        records = self._network['lyon'].ask('list', kind, '--filter', query)
        if len(records) != 1:
            raise RuntimeError(f'{len(records)} fiches pour {kind} {query}, une seule attendue')
        return records[0]['id']

    def _content(self, site: str, kind: str, record: str) -> dict:
        return self._network[site].ask('get', kind, record).get('content', {})

    def _counts(self, site: str) -> dict[str, int]:
        counts = {kind['kind']: int(kind.get('records', 0)) for kind in self._network[site].status()['kinds']}
        return {kind: counts.get(kind, 0) for kind in KINDS}

    def _peer_state(self, site: str, peer: str) -> str:
        states = [each.get('state', '') for each in self._network[site].status().get('peers', [])
                  if each.get('site') == peer]
        return states[0] if states else ''


_STATES = {'OFFLINE': 'hors ligne', 'PAUSED': 'en pause'}
_PRESENCES = {'HERE': 'fiche tenue ici', 'STUB': 'fiche abrégée', 'ABSENT': 'absente'}


def _digest(roots: dict) -> str:
    return hashlib.sha256(repr(sorted(roots.items())).encode()).hexdigest()[:16]


def _time(text: str) -> str:
    """2026-11-23T15:40:03.123Z without its T and its fraction."""
    return text[:19].replace('T', ' ')


def _traffic(status: dict) -> dict[str, int]:
    return {key: sum(int(peer.get(key, 0)) for peer in status.get('peers', []))
            for key in ('bytes_sent', 'bytes_received')}
