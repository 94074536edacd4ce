"""What the service may do on its machine, as systemd judges it."""

import re
import subprocess
import unittest

from nodes import ROOT

MOST_EXPOSURE = 2.0


class HardeningTest(unittest.TestCase):
    def test_each_service_is_closed_enough(self):
        services = sorted((ROOT / 'deploy' / 'systemd').glob('*.service'))
        self.assertTrue(services)
        for service in services:
            judged = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', service],
                                    capture_output=True, text=True, timeout=60, check=False)
            exposure = re.search(r'Overall exposure level for \S+: ([0-9.]+)', judged.stdout)
            self.assertIsNotNone(exposure, judged)
            print(f'figure: exposure of {service.name} {exposure.group(1)}')
            self.assertLessEqual(float(exposure.group(1)), MOST_EXPOSURE)


if __name__ == '__main__':
    unittest.main()
