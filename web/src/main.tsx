import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { makeQueryClient } from '@/app/queries';
import { makeRouter } from '@/app/router';
import { startKeeping } from '@/lib/offline';
import '@/styles/tokens.css';

const element = document.getElementById('root');
if (!element) throw new Error('index.html has no element with the id "root"');

const queries = makeQueryClient();
if (import.meta.env.PROD) void startKeeping(queries);
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={makeRouter(queries)} />
    </QueryClientProvider>
  </StrictMode>,
);
